#include "host/data/batch.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "host/data/array.hpp"
#include "host/data/fake_components.hpp"
#include "host/files/error.hpp"

using namespace vissl::host;

namespace {

void add(BatchBuilder& batch, const char* name, vissl_dtype dtype,
         const std::vector<std::int64_t>& shape, bool nested = false) {
  batch.add(name, dtype, static_cast<std::uint32_t>(shape.size()), shape.data(), nested);
}

template <class Body>
std::string error_of(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("batch: memory is aligned, distinct, and one block from the second round on") {
  fake::CountedMemory memory;
  {
    BatchBuilder batch(memory.allocator());
    for (int round = 0; round < 4; ++round) {
      batch.reset({});
      add(batch, "a", VISSL_U8, {3, 7});
      add(batch, "b", VISSL_F64, {3});
      add(batch, "c", VISSL_F32, {0, 5});  // no rows
      std::vector<const std::byte*> data;
      for (const BatchField& field : batch.batch().fields) {
        data.push_back(static_cast<const std::byte*>(field.elements[0].data));
        CHECK(reinterpret_cast<std::uintptr_t>(data.back()) % 64 == 0);
      }
      CHECK(data[0] != data[1]);
      CHECK(data[1] != data[2]);
      if (round > 0) CHECK(memory.blocks() == 1);
    }
    CHECK(memory.allocations() == 4);  // three, then the joined one
  }
  CHECK(memory.blocks() == 0);
}

TEST_CASE("batch: an allocator that refuses ends in a sentence with a remedy") {
  BatchBuilder batch({[](std::size_t) -> void* { return nullptr; }, [](void*, std::size_t) {}});
  batch.reset({});
  CHECK(error_of([&] { add(batch, "a", VISSL_U8, {100}); }) ==
        "no memory for a batch: the allocator refused 128 bytes; lower batchsize_per_replica");
}

TEST_CASE("batch: elements of one field follow each other, nested or not alike") {
  fake::CountedMemory memory;
  BatchBuilder batch(memory.allocator());
  batch.reset({});
  add(batch, "data", VISSL_F32, {2, 3, 4, 4}, true);
  add(batch, "label", VISSL_I64, {4});
  add(batch, "data", VISSL_F32, {2, 3, 2, 2}, true);
  CHECK(batch.element_count("data") == 2);
  CHECK(batch.element_count("nothing") == 0);
  CHECK(batch.element("data", 1).shape[3] == 2);
  CHECK(batch.batch().fields.size() == 2);
  CHECK(batch.batch().fields[0].nested);
  CHECK(error_of([&] {
          add(batch, "data", VISSL_F32, {2, 3, 2, 2});
        }) == "field 'data' of a batch must be nested in all of its elements or in none");
  CHECK(error_of([&] { batch.element("label", 1); }) ==
        "the batch has no element 1 of a field 'label': the collator's layout did not add it");
  CHECK_FALSE(error_of([&] { add(batch, "scalar", VISSL_F32, {}); }).empty());
  CHECK(error_of([&] { add(batch, "odd", 99, {1}); }) == "99 is no element type");
  CHECK(error_of([&] {
          add(batch, "huge", VISSL_F32, {1 << 30, 1 << 30, 1 << 30});
        }) == "no array can have the shape (1073741824, 1073741824, 1073741824)");
  CHECK(error_of([&] {
          add(batch, "deep", VISSL_F32, {1, 1, 1, 1, 1, 1, 1, 1, 1});
        }) == "an array has at most 8 dimensions, not 9");
}

TEST_CASE("batch: images are written to float and to byte rows") {
  fake::CountedMemory memory;
  BatchBuilder batch(memory.allocator());
  batch.reset({});
  add(batch, "f", VISSL_F32, {2, 3, 2, 4});
  add(batch, "u", VISSL_U8, {2, 2, 4, 3});
  Image image;
  image.set_pixels(pixel::Pixels(4, 2, 3, 51));
  batch.write_image("u", 0, 1, image);
  CHECK(static_cast<const std::uint8_t*>(batch.element("u", 0).data)[24] == 51);
  CHECK(error_of([&] { batch.write_image("f", 0, 1, image); }).find("add ToTensor") !=
        std::string::npos);
  image.to_tensor();
  batch.write_image("f", 0, 1, image);
  CHECK(static_cast<const float*>(batch.element("f", 0).data)[24] == 0.2f);
  CHECK_FALSE(error_of([&] { batch.write_image("u", 0, 0, image); }).empty());
  add(batch, "d", VISSL_F64, {2, 2, 4, 3});
  CHECK(error_of([&] { batch.write_image("d", 0, 0, image); }) ==
        "images fill fields of float32 or uint8, and field 'd' is float64 (2, 2, 4, 3)");
  CHECK(error_of([&] { batch.write_image("f", 0, 2, image); }) ==
        "field 'f' of the batch, float32 (2, 3, 2, 4), has no row 2");
  image.set_pixels(pixel::Pixels(4, 3, 3, 51));
  image.to_tensor();
  CHECK(
      error_of([&] { batch.write_image("f", 0, 0, image); }) ==
      "an image of (3, 3, 4) does not fit the rows of field 'f', float32 (2, 3, 2, 4): all images "
      "of a batch need one size; crop or resize them");
}

TEST_CASE("batch: arrays are converted to the field's type") {
  fake::CountedMemory memory;
  BatchBuilder batch(memory.allocator());
  batch.reset({});
  add(batch, "x", VISSL_F32, {2, 3});
  const std::int32_t values[] = {-1, 2, 3};
  batch.write_array("x", 0, 1, {sizeof(vissl_array), VISSL_I32, 1, {3}, values});
  CHECK(static_cast<const float*>(batch.element("x", 0).data)[3] == -1.0f);
  CHECK(error_of([&] {
          batch.write_array("x", 0, 1, {sizeof(vissl_array), VISSL_I32, 1, {2}, values});
        }) == "an array of (2,) does not fit the rows of field 'x', float32 (2, 3)");
  CHECK(error_of([&] {
          batch.write_array("x", 0, 1, {sizeof(vissl_array), VISSL_C64, 1, {3}, values});
        }) == "cannot convert complex64 elements to float32");
  add(batch, "flags", VISSL_BOOL, {1});
  const std::int64_t minus_one = -1;
  batch.write_array("flags", 0, 0, {sizeof(vissl_array), VISSL_I64, 0, {}, &minus_one});
  CHECK(*static_cast<const bool*>(batch.element("flags", 0).data));
}

TEST_CASE("batch: the C table gives writable memory and the batch's own stream") {
  fake::CountedMemory memory;
  BatchBuilder builder(memory.allocator());
  builder.reset({3, 4, 5});
  vissl_batch* batch = handle(&builder);
  const vissl_batch_api& api = batch_api();
  const std::int64_t shape[] = {2};
  CHECK(api.add(batch, {"y", 1}, VISSL_I64, 1, shape, 0, nullptr) == VISSL_OK);
  vissl_array out{};
  CHECK(api.array(batch, {"y", 1}, 0, &out, nullptr) == VISSL_OK);
  CHECK(out.data == builder.element("y", 0).data);
  CHECK(out.shape[0] == 2);
  CHECK(api.array(batch, {"y", 1}, 1, &out, nullptr) == VISSL_E_FAILED);
  vissl_rng expected, stream;
  vissl_rng_init_batch(&expected, 3, 4, 5, 0);
  api.rng(batch, &stream);
  CHECK(vissl_rng_u64(&stream) == vissl_rng_u64(&expected));
}
