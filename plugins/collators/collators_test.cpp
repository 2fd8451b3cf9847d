// simclr_collator, multicrop_collator and default_collate against batches that torch made.
#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "data_host.hpp"

using namespace vissl;

namespace {

struct Golden {
  std::string collator, field;
  std::size_t element;
  std::vector<std::int64_t> shape;
  std::vector<double> values;
};
const Golden kGolden[] = {
#include "../../tests/golden/data/collators.inc"
};

using Sizes = std::vector<std::pair<int, int>>;  // height, width per view

// As `samples` in scripts/oracle/data_plugins.py. The arrays keep their type when they are given as
// int64.
std::vector<host::Sample> make_samples(std::int64_t count, const Sizes& sizes) {
  std::vector<host::Sample> samples(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    host::Sample& sample = samples[static_cast<std::size_t>(i)];
    for (std::size_t p = 0; p < sizes.size(); ++p) {
      const auto view = static_cast<std::int64_t>(p);
      const auto [height, width] = sizes[p];
      host::Planes planes(width, height, 3);
      float* out = planes.data();
      for (int c = 0; c < 3; ++c) {
        for (int place = 0; place < height * width; ++place) {
          *out++ = static_cast<float>(i * 64 + view * 8 + c) + static_cast<float>(place) / 128;
        }
      }
      sample.add_image("data").set_planes(std::move(planes));
      sample.set_array("label", p, host::Array::scalar(1000 + i * 10 + view));
      sample.set_array("data_valid", p, host::Array::scalar((i + view) % 3 == 0 ? -1 : 1));
      sample.set_array("data_idx", p, host::Array::scalar(50 + i));
    }
  }
  return samples;
}

void check_against_golden(const std::string& name, host::BatchBuilder& batch) {
  std::size_t elements = 0;
  for (const Golden& golden : kGolden) {
    if (golden.collator != name) continue;
    CAPTURE(golden.field);
    ++elements;
    REQUIRE(golden.element < batch.element_count(golden.field));
    const host::BatchElement& element = batch.element(golden.field, golden.element);
    CHECK(element.shape == golden.shape);
    CHECK(element.dtype == (golden.field == "data" ? VISSL_F32 : VISSL_I64));
    for (std::size_t i = 0; i < golden.values.size(); ++i) {
      const double value =
          element.dtype == VISSL_F32
              ? static_cast<const float*>(element.data)[i]
              : static_cast<double>(static_cast<const std::int64_t*>(element.data)[i]);
      REQUIRE(value == golden.values[i]);
    }
  }
  std::size_t made = 0;
  for (const host::BatchField& field : batch.batch().fields) made += field.elements.size();
  CHECK(made == elements);
}

}  // namespace

TEST_CASE("collators: batches equal torch's, in whatever order the samples are placed") {
  struct Case {
    const char* name;
    std::int64_t count;
    Sizes sizes;
    bool nested;
  };
  const Case cases[] = {
      {"simclr_collator", 3, {{2, 3}, {2, 3}}, false},
      {"multicrop_collator", 2, {{3, 2}, {2, 2}, {1, 2}}, true},
      {"default_collate", 3, {{2, 3}, {2, 3}}, false},
  };
  for (const Case& one : cases) {
    CAPTURE(one.name);
    test::DataHost host;
    const test::Instance collator = host.make("collator", one.name);
    std::vector<host::Sample> samples = make_samples(one.count, one.sizes);
    for (const bool backwards : {false, true}) {
      std::vector<std::size_t> order;
      for (std::size_t i = 0; i < samples.size(); ++i) {
        order.push_back(backwards ? samples.size() - 1 - i : i);
      }
      host::BatchBuilder batch(host::plain_memory());
      batch.reset({});
      test::collate(collator, samples, order, batch);
      check_against_golden(one.name, batch);
      for (const host::BatchField& field : batch.batch().fields) {
        CHECK(field.nested == (one.nested && field.name == "data"));
      }
    }
  }
}

TEST_CASE("collators: images before ToTensor give fields of bytes (B, H, W, C)") {
  test::DataHost host;
  const test::Instance collator = host.make("collator", "default_collate");
  std::vector<host::Sample> samples(2);
  for (std::size_t i = 0; i < 2; ++i) {
    samples[i].add_image("data").set_pixels(
        host::pixel::Pixels(3, 2, 1, static_cast<std::uint8_t>(i + 5)));
    samples[i].set_array("label", 0, host::Array::scalar(1));
  }
  host::BatchBuilder batch(host::plain_memory());
  batch.reset({});
  test::collate(collator, samples, {0, 1}, batch);
  const host::BatchElement& data = batch.element("data", 0);
  CHECK(data.dtype == VISSL_U8);
  CHECK(data.shape == std::vector<std::int64_t>{2, 2, 3, 1});
  CHECK(static_cast<const std::uint8_t*>(data.data)[6] == 6);
}

TEST_CASE("collators: vector labels become matrices") {
  test::DataHost host;
  const test::Instance collator = host.make("collator", "simclr_collator");
  std::vector<host::Sample> samples = make_samples(2, {{1, 1}, {1, 1}});
  for (std::size_t i = 0; i < 2; ++i) {
    for (std::size_t p = 0; p < 2; ++p) {
      const std::vector<std::int64_t> label{static_cast<std::int64_t>(i),
                                            static_cast<std::int64_t>(p), 7};
      samples[i].set_array("label", p, host::Array(array_view(label)));
    }
  }
  host::BatchBuilder batch(host::plain_memory());
  batch.reset({});
  test::collate(collator, samples, {0, 1}, batch);
  const host::BatchElement& label = batch.element("label", 0);
  CHECK(label.shape == std::vector<std::int64_t>{4, 3});
  const auto* values = static_cast<const std::int64_t*>(label.data);
  CHECK(std::vector<std::int64_t>(values, values + 12) ==
        std::vector<std::int64_t>{0, 0, 7, 1, 0, 7, 0, 1, 7, 1, 1, 7});
}

TEST_CASE("collators: samples that differ are refused with both counts") {
  for (const char* name : {"simclr_collator", "multicrop_collator", "default_collate"}) {
    CAPTURE(name);
    test::DataHost host;
    const test::Instance collator = host.make("collator", name);
    std::vector<host::Sample> samples = make_samples(2, {{2, 2}, {2, 2}});
    const std::vector<std::uint64_t> times{2, 1};
    samples[1].repeat(times.data(), times.size());
    host::BatchBuilder batch(host::plain_memory());
    batch.reset({});
    try {
      test::collate(collator, samples, {0, 1}, batch);
      FAIL("accepted");
    } catch (const Failure& error) {
      const std::string text = error.what();
      CHECK(text.find("the first sample of the batch has 2") != std::string::npos);
      CHECK(text.find("this one has 3") != std::string::npos);
    }
  }
}

TEST_CASE("collators: a sample without labels is refused by name") {
  for (const char* name : {"simclr_collator", "multicrop_collator"}) {
    test::DataHost host;
    const test::Instance collator = host.make("collator", name);
    std::vector<host::Sample> samples = make_samples(1, {{2, 2}});
    samples[0].remove("label");
    host::BatchBuilder batch(host::plain_memory());
    batch.reset({});
    CHECK_THROWS_WITH_AS(test::collate(collator, samples, {0}, batch),
                         "the sample has no entry 0 under 'label'; it has 0", Failure);
  }
}
