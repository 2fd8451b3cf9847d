#include "host/data/sample.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "host/data/pixel/image.hpp"
#include "host/files/error.hpp"

using namespace vissl::host;

namespace {

std::int64_t number(const Sample& sample, const char* key, std::size_t i) {
  return *static_cast<const std::int64_t*>(sample.array(key, i).view().data);
}

Sample two_entries() {
  Sample sample;
  sample.reset({5, 2, 9, 1, 3});
  for (std::int64_t i = 0; i < 2; ++i) {
    sample.add_image("data").set_pixels(pixel::Pixels(2, 2, 3, static_cast<std::uint8_t>(i)));
    sample.set_array("label", static_cast<std::size_t>(i), Array::scalar(10 + i));
  }
  return sample;
}

}  // namespace

TEST_CASE("sample: keys keep their order, entries are replaced or appended") {
  Sample sample = two_entries();
  sample.set_array("mask", 0, Array::scalar(1));
  REQUIRE(sample.lists().size() == 3);
  CHECK(sample.lists()[0].key == "data");
  CHECK(sample.lists()[2].key == "mask");
  sample.set_array("label", 0, Array::scalar(77));
  CHECK(number(sample, "label", 0) == 77);
  CHECK(sample.entry_count("label") == 2);
  CHECK_THROWS_WITH_AS(sample.set_array("label", 3, Array::scalar(0)),
                       "the sample has no entry 3 under 'label'; it has 2", Error);
  CHECK(sample.image("label", 0) == nullptr);
  CHECK_THROWS_WITH_AS(sample.array("data", 1), "entry 1 under 'data' is an image, not an array",
                       Error);
  sample.remove("label");
  sample.remove("nothing");
  CHECK(sample.entry_count("label") == 0);
}

TEST_CASE("sample: repeating keeps order and addresses, and shares pixels") {
  Sample sample = two_entries();
  const Image* first = sample.image("data", 0);
  const Image* second = sample.image("data", 1);
  const std::uint64_t times[] = {3, 1};
  sample.repeat(times, 2);
  REQUIRE(sample.entry_count("data") == 4);
  CHECK(sample.image("data", 0) == first);
  CHECK(sample.image("data", 3) == second);
  const std::int64_t labels[] = {10, 10, 10, 11};
  for (std::size_t i = 0; i < 4; ++i) CHECK(number(sample, "label", i) == labels[i]);
  CHECK(sample.image("data", 1)->pixels().data() == sample.image("data", 2)->pixels().data());
  sample.image("data", 1)->edit_pixels()[0] = 9;
  CHECK(sample.image("data", 0)->pixels().data()[0] == 0);

  const std::uint64_t none_of_first[] = {0, 1, 1, 2};
  sample.repeat(none_of_first, 4);
  CHECK(sample.entry_count("label") == 4);
  CHECK(number(sample, "label", 3) == 11);
}

TEST_CASE("sample: lists of another length cannot be repeated together") {
  Sample sample = two_entries();
  sample.set_array("label", 2, Array::scalar(0));
  const std::uint64_t times[] = {2, 2};
  CHECK_THROWS_WITH_AS(sample.repeat(times, 2),
                       "cannot repeat the entries of a sample: 'label' has 3 entries and 2 "
                       "repetitions were given",
                       Error);
  CHECK(sample.entry_count("data") == 2);
}

TEST_CASE("sample: its streams are named by seed, phase, index, occurrence, view and position") {
  const Sample sample = two_entries();
  vissl_rng expected;
  vissl_rng_init_sample(&expected, 5, 2, 9, 1, /*view=*/4, /*position=*/3);
  vissl_rng stream = sample.rng(4);
  CHECK(vissl_rng_u64(&stream) == vissl_rng_u64(&expected));
}

TEST_CASE("sample: the C table copies arrays and finds entries by key") {
  const vissl_sample_api& api = sample_api();
  Sample sample = two_entries();
  vissl_sample* s = handle(&sample);
  CHECK(api.key_count(s) == 2);
  CHECK(std::string(api.key_at(s, 1).data, api.key_at(s, 1).size) == "label");
  CHECK(api.key_at(s, 2).size == 0);
  CHECK(api.index(s) == 9);
  std::vector<float> values{1, 2, 3, 4, 5, 6};
  vissl_array array{sizeof array, VISSL_F32, 2, {2, 3}, values.data()};
  CHECK(api.set_array(s, {"label", 5}, 1, &array, nullptr) == VISSL_OK);
  values.assign(6, 0);
  vissl_array out{};
  CHECK(api.array(s, {"label", 5}, 1, &out, nullptr) == VISSL_OK);
  CHECK(out.ndim == 2);
  CHECK(out.shape[1] == 3);
  CHECK(static_cast<const float*>(out.data)[5] == 6);
  array.dtype = 99;
  CHECK(api.set_array(s, {"label", 5}, 1, &array, nullptr) == VISSL_E_FAILED);
  array.dtype = VISSL_F32;
  array.shape[0] = -1;
  CHECK(api.set_array(s, {"label", 5}, 1, &array, nullptr) == VISSL_E_FAILED);
  CHECK(api.image(s, {"data", 4}, 2) == nullptr);
  CHECK(api.array(s, {"data", 4}, 0, &out, nullptr) == VISSL_E_FAILED);
}
