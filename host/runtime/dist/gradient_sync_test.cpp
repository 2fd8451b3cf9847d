#include "host/runtime/dist/gradient_sync.hpp"

#include <ATen/ATen.h>

#include <array>

#include "host/runtime/dist/test_ranks.hpp"

using namespace vissl::host;

namespace {

// Five parameters of six numbers: 0 and 1 are used by all ranks, 2 by rank 0 alone, 3 by none, 4 is
// frozen.
struct Parameters {
  std::array<Entry, 5> entries;
  std::vector<Entry*> all;
  Parameters() {
    for (std::size_t i = 0; i < entries.size(); ++i) {
      entries[i].name = "p" + std::to_string(i);
      entries[i].tensor = at::full({2, 3}, 1.0 + static_cast<double>(i), at::kDouble);
      if (i != 4) entries[i].tensor.requires_grad_(true);
      all.push_back(&entries[i]);
    }
  }
  at::Tensor& grad(std::size_t i) { return entries[i].tensor.mutable_grad(); }
  at::Tensor loss(int64_t rank) const {
    const double r = static_cast<double>(rank + 1);
    at::Tensor sum = (entries[0].tensor * r).sum() + (entries[1].tensor.square() * r).sum() +
                     (entries[4].tensor * r).sum();
    return rank == 0 ? sum + entries[2].tensor.sum() * 6.0 : sum;
  }
};

void check_gradients(Collectives& ranks, Parameters& p, double passes) {
  const double world = static_cast<double>(ranks.world()), mean = (world + 1.0) / 2.0 * passes;
  const at::Tensor ones = at::ones({2, 3}, at::kDouble);
  require(p.grad(0).allclose(ones * mean, 1e-14, 0.0), "a mean over the ranks");
  require(p.grad(1).allclose(ones * mean * 4.0, 1e-14, 0.0), "another one");
  require(p.grad(2).allclose(ones * 6.0 * passes / world, 1e-14, 0.0), "used by rank 0 alone");
  require(!p.grad(3).defined(), "used by no rank");
  require(!p.grad(4).defined(), "frozen");
}

}  // namespace

TEST_CASE("gradients: the mean over 2 and 3 ranks, for any size of buckets and both ways") {
  for (const auto way : {GradientSync::Way::overlapped, GradientSync::Way::after_backward}) {
    for (const int64_t bucket_bytes : {1, 100, 1 << 20}) {
      for (const int64_t world : {2, 3}) {
        CAPTURE(bucket_bytes);
        CAPTURE(world);
        on_ranks(world, [&](Collectives& ranks) {
          Parameters p;
          GradientSync sync(ranks, p.all, way, bucket_bytes);
          for (int step = 0; step < 3; ++step) {
            for (Entry* e : p.all) e->tensor.mutable_grad() = at::Tensor();
            const at::Tensor loss = p.loss(ranks.rank());
            const Collectives::Begun before = ranks.begun();
            sync.prepare(loss);
            loss.backward();
            sync.finish();
            require(ranks.begun().all > before.all, "the exchanges of gradients count");
            check_gradients(ranks, p, 1.0);
          }
        });
      }
    }
  }
}

TEST_CASE("gradients: of several passes, the last takes the sum of all to the other ranks") {
  for (const auto way : {GradientSync::Way::overlapped, GradientSync::Way::after_backward}) {
    on_ranks(2, [&](Collectives& ranks) {
      Parameters p;
      GradientSync sync(ranks, p.all, way, 1 << 20);
      for (int step = 0; step < 2; ++step) {
        for (Entry* e : p.all) e->tensor.mutable_grad() = at::Tensor();
        for (int pass = 0; pass < 2; ++pass) p.loss(ranks.rank()).backward();
        const double own = static_cast<double>(ranks.rank() + 1) * 2.0;
        require(p.grad(0)[0][0].item<double>() == own, "the own gradient in between");
        const at::Tensor loss = p.loss(ranks.rank());
        sync.prepare(loss);
        loss.backward();
        sync.finish();
        check_gradients(ranks, p, 3.0);
      }
    });
  }
}

TEST_CASE("values: all ranks take rank 0's parameters and replicated buffers, and keep their own") {
  on_ranks(2, [&](Collectives& ranks) {
    Store store(0);
    const auto spec = [&](vissl_dtype dtype, std::uint32_t buffer) {
      vissl_store_spec s{};
      s.size = sizeof s;
      s.dtype = dtype;
      s.ndim = 1;
      s.shape[0] = 3;
      s.init = VISSL_INIT_CONSTANT;
      s.a = 5.0 + static_cast<double>(ranks.rank());
      s.buffer = buffer;
      return s;
    };
    const at::Tensor weight = store.add_parameter("w", spec(VISSL_F32, 0)).tensor;
    const at::Tensor mean = store.add_buffer("m", spec(VISSL_F64, VISSL_BUFFER_REPLICATED)).tensor;
    const at::Tensor count = store.add_buffer("n", spec(VISSL_I64, VISSL_BUFFER_NOT_SAVED)).tensor;
    const at::Tensor own = store.add_buffer("o", spec(VISSL_F32, VISSL_BUFFER_PER_RANK)).tensor;
    share_buffers(ranks, store);
    require(weight[0].item<double>() == 5.0 + static_cast<double>(ranks.rank()), "kept");
    require(mean[2].item<double>() == 5.0 && count[1].item<int64_t>() == 5, "buffers");
    share_values(ranks, store);
    require(weight[0].item<double>() == 5.0, "parameters");
    require(own[0].item<double>() == 5.0 + static_cast<double>(ranks.rank()), "own buffers");
  });
}
