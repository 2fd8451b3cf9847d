#include <vissl/test.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

using vissl::Tensor;
using vissl::test::Host;
using vissl::test::Loss;

namespace {

Loss make(Host& host) {
  return Loss(host.run, host.component("loss", "simclr_info_nce_loss").create("temperature = 0.5"));
}

// Row `view` of image i: three numbers that belong to nothing else.
std::vector<double> row(int view, int i) {
  const double x = 1.0 + 3.0 * i + 11.0 * view;
  return {std::sin(x), std::sin(1.7 * x), std::sin(2.9 * x)};
}

// View-major rows of the images first … first + count.
Tensor views(int first, int count) {
  std::vector<double> data;
  for (int view = 0; view < 2; ++view) {
    for (int i = first; i < first + count; ++i) {
      const std::vector<double> one = row(view, i);
      data.insert(data.end(), one.begin(), one.end());
    }
  }
  return Tensor::of(data, {2 * count, 3});
}

}  // namespace

TEST_CASE("simclr_info_nce_loss: two images by hand") {
  Host host;
  host.load(VISSL_PLUGIN_DIR "/simclr_info_nce_loss.so");
  Loss loss = make(host);
  CHECK(loss.rank_reduction() == VISSL_REDUCTION_JOINED);
  // Views equal, images at right angles: -log(e^2 / (e^2 + 2)); lengths do not count.
  const Tensor rows = Tensor::of<double>({1, 0, 0, 5, 3, 0, 0, 2}, {4, 2});
  CHECK(loss({rows}).item<double>() ==
        doctest::Approx(std::log(1 + 2 / std::exp(2.0))).epsilon(1e-9));
}

TEST_CASE("simclr_info_nce_loss: the mean over two and three ranks is the joined batch's loss") {
  Host host;
  host.load(VISSL_PLUGIN_DIR "/simclr_info_nce_loss.so");
  const double joined = make(host)({views(0, 6)}).item<double>();
  for (const int world : {2, 3}) {
    CAPTURE(world);
    const int each = 6 / world;
    const std::vector<Tensor> losses = vissl::test::on_ranks(
        host.run, world, [&](int rank) { return make(host)({views(rank * each, each)}); });
    double sum = 0;
    for (const Tensor& one : losses) sum += one.item<double>();
    CHECK(sum / world == doctest::Approx(joined).epsilon(1e-9));
    CHECK(losses[0].item<double>() != doctest::Approx(losses[1].item<double>()).epsilon(1e-3));
  }
}

TEST_CASE("simclr_info_nce_loss: it requires the collator whose order it reads") {
  Host host;
  host.load(VISSL_PLUGIN_DIR "/simclr_info_nce_loss.so");
  const auto& rules = host.component("loss", "simclr_info_nce_loss").declared.rules;
  CHECK(std::find(rules.begin(), rules.end(),
                  "require data.train.collator.name in simclr_collator because it reads the views "
                  "in the order that this collator gives") != rules.end());
}

TEST_CASE("simclr_info_nce_loss: batches without two views of each image are refused in training") {
  Host host;
  host.load(VISSL_PLUGIN_DIR "/simclr_info_nce_loss.so");
  host.run.counters.training = 1;
  const auto step = [&](const std::vector<std::int64_t>& images) {
    host.run.record["data_idx"] = {vissl::test::labels(images)};
    const auto rows = static_cast<int>(images.size());
    return make(host)({views(0, rows / 2)});
  };
  CHECK_NOTHROW(step({4, 9, 4, 9}));
  CHECK_THROWS_WITH_AS(
      step({4, 9, 4, 9, 4, 9}),
      doctest::Contains(
          "this batch has 3 views of its first image; set ImgReplicatePil's num_times to 2"),
      vissl::Failure);
  CHECK_THROWS_WITH_AS(step({4, 9}), doctest::Contains("has 1 view of its first image"),
                       vissl::Failure);
  CHECK_THROWS_WITH_AS(step({4, 4}), doctest::Contains("at least two images per step"),
                       vissl::Failure);
  host.run.counters.training = 0;
  CHECK_NOTHROW(step({4, 4}));
}
