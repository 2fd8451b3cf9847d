#include "host/data/batch.hpp"

#include <algorithm>
#include <string>

#include "host/data/array.hpp"
#include "host/data/guard.hpp"

namespace vissl::host {
namespace {

std::string text_of(const BatchElement& element) {
  return std::string(dtype_name(element.dtype)) + " " +
         shape_text(element.shape.data(), static_cast<std::uint32_t>(element.shape.size()));
}

std::string quoted(std::string_view name) {
  return "'" + std::string(name) + "'";
}

// Elements of one row.
std::int64_t row_count(const BatchElement& element) {
  return element_count(element.shape.data() + 1,
                       static_cast<std::uint32_t>(element.shape.size() - 1));
}

std::byte* row_of(const BatchElement& element, std::string_view name, std::int64_t row) {
  if (element.shape.empty() || row < 0 || row >= element.shape[0]) {
    throw Error(Exit::run_failed, "field " + quoted(name) + " of the batch, " + text_of(element) +
                                      ", has no row " + std::to_string(row));
  }
  const std::size_t bytes =
      static_cast<std::size_t>(row_count(element)) * dtype_bytes(element.dtype);
  return static_cast<std::byte*>(element.data) + static_cast<std::size_t>(row) * bytes;
}

}  // namespace

BatchMemory::~BatchMemory() {
  release_all();
}

void BatchMemory::release_all() {
  for (const Block& block : blocks_) allocator_.release(block.data, block.bytes);
  blocks_.clear();
}

void BatchMemory::add_block(std::size_t bytes) {
  blocks_.reserve(blocks_.size() + 1);  // so that a block is never lost
  void* data = allocator_.allocate(bytes);
  if (data == nullptr) {
    throw Error(Exit::run_failed, "no memory for a batch: the allocator refused " +
                                      std::to_string(bytes) +
                                      " bytes; lower batchsize_per_replica");
  }
  blocks_.push_back({static_cast<std::byte*>(data), bytes, 0});
}

void* BatchMemory::take(std::size_t bytes) {
  constexpr std::size_t kAlignment = 64;
  const std::size_t rounded =
      (std::max<std::size_t>(bytes, 1) + kAlignment - 1) & ~(kAlignment - 1);
  if (blocks_.empty() || blocks_.back().bytes - blocks_.back().used < rounded) add_block(rounded);
  Block& block = blocks_.back();
  std::byte* data = block.data + block.used;
  block.used += rounded;
  return data;
}

void BatchMemory::rewind() {
  if (blocks_.size() > 1) {
    std::size_t total = 0;
    for (const Block& block : blocks_) total += block.used;
    release_all();
    add_block(total);
  }
  for (Block& block : blocks_) block.used = 0;
}

void BatchBuilder::reset(const BatchStream& stream) {
  stream_ = stream;
  batch_.fields.clear();
  batch_.indices.clear();
  batch_.number = 0;
  batch_.samples = 0;
  memory_.rewind();
}

void BatchBuilder::add(std::string_view name, vissl_dtype dtype, std::uint32_t ndim,
                       const std::int64_t* shape, bool nested) {
  if (ndim == 0) {
    throw Error(Exit::run_failed,
                "field " + quoted(name) + " of a batch needs rows: its shape is ()");
  }
  const std::int64_t count = host::element_count(shape, ndim);
  BatchElement element{dtype, {shape, shape + ndim}, nullptr};
  element.data = memory_.take(static_cast<std::size_t>(count) * dtype_bytes(dtype));
  const auto at = std::find_if(batch_.fields.begin(), batch_.fields.end(),
                               [&](const BatchField& field) { return field.name == name; });
  if (at == batch_.fields.end()) {
    batch_.fields.push_back({std::string(name), nested, {std::move(element)}});
    return;
  }
  if (at->nested != nested) {
    throw Error(
        Exit::run_failed,
        "field " + quoted(name) + " of a batch must be nested in all of its elements or in none");
  }
  at->elements.push_back(std::move(element));
}

std::size_t BatchBuilder::element_count(std::string_view name) const {
  for (const BatchField& field : batch_.fields) {
    if (field.name == name) return field.elements.size();
  }
  return 0;
}

const BatchElement& BatchBuilder::element(std::string_view name, std::size_t i) const {
  for (const BatchField& field : batch_.fields) {
    if (field.name == name && i < field.elements.size()) return field.elements[i];
  }
  throw Error(Exit::run_failed, "the batch has no element " + std::to_string(i) + " of a field " +
                                    quoted(name) + ": the collator's layout did not add it");
}

void BatchBuilder::write_image(std::string_view name, std::size_t i, std::int64_t row,
                               Image& image) const {
  const BatchElement& target = element(name, i);
  std::byte* out = row_of(target, name, row);
  image.settle();
  const Image::Info info = image.info();
  const bool planar = target.dtype == VISSL_F32;
  const std::int64_t shape[3] = {planar ? info.channels : info.height,
                                 planar ? info.height : info.width,
                                 planar ? info.width : info.channels};
  if (target.shape.size() != 4 || !std::equal(shape, shape + 3, target.shape.begin() + 1)) {
    throw Error(Exit::usage, "an image of " + shape_text(shape, 3) +
                                 " does not fit the rows of field " + quoted(name) + ", " +
                                 text_of(target) +
                                 ": all images of a batch need one size; crop or resize them");
  }
  if (planar) {
    image.write(reinterpret_cast<float*>(out));
  } else if (target.dtype == VISSL_U8) {
    image.write(reinterpret_cast<std::uint8_t*>(out));
  } else {
    throw Error(Exit::run_failed, "images fill fields of float32 or uint8, and field " +
                                      quoted(name) + " is " + text_of(target));
  }
}

void BatchBuilder::write_array(std::string_view name, std::size_t i, std::int64_t row,
                               const vissl_array& array) const {
  const BatchElement& target = element(name, i);
  std::byte* out = row_of(target, name, row);
  if (array.ndim + 1 != target.shape.size() ||
      !std::equal(array.shape, array.shape + array.ndim, target.shape.begin() + 1)) {
    throw Error(Exit::run_failed, "an array of " + shape_text(array.shape, array.ndim) +
                                      " does not fit the rows of field " + quoted(name) + ", " +
                                      text_of(target));
  }
  convert_elements(array.data, array.dtype, out, target.dtype, row_count(target));
}

vissl_rng BatchBuilder::rng() const {
  vissl_rng rng;
  vissl_rng_init_batch(&rng, stream_.seed, stream_.train_phase, stream_.batch, 0);
  return rng;
}

namespace {

vissl_status add(vissl_batch* b, vissl_str name, vissl_dtype dtype, std::uint32_t ndim,
                 const std::int64_t* shape, std::uint32_t nested, vissl_err* err) {
  return guarded(err, [&] { unwrap(b).add(view_of(name), dtype, ndim, shape, nested != 0); });
}

std::uint64_t element_count(const vissl_batch* b, vissl_str name) {
  return unwrap(b).element_count(view_of(name));
}

vissl_status array(vissl_batch* b, vissl_str name, std::uint64_t element, vissl_array* out,
                   vissl_err* err) {
  return guarded(err, [&] {
    const BatchElement& found = unwrap(b).element(view_of(name), element);
    *out = {sizeof(vissl_array),
            found.dtype,
            static_cast<std::uint32_t>(found.shape.size()),
            {},
            found.data};
    std::copy(found.shape.begin(), found.shape.end(), out->shape);
  });
}

vissl_status write_image(vissl_batch* b, vissl_str name, std::uint64_t element, std::int64_t row,
                         vissl_image* image, vissl_err* err) {
  return guarded(err, [&] { unwrap(b).write_image(view_of(name), element, row, unwrap(image)); });
}

vissl_status write_array(vissl_batch* b, vissl_str name, std::uint64_t element, std::int64_t row,
                         const vissl_array* array, vissl_err* err) {
  return guarded(err, [&] { unwrap(b).write_array(view_of(name), element, row, *array); });
}

void rng(const vissl_batch* b, vissl_rng* out) {
  *out = unwrap(b).rng();
}

constexpr vissl_batch_api kApi = {
    sizeof(vissl_batch_api), add, element_count, array, write_image, write_array, rng,
};

}  // namespace

const vissl_batch_api& batch_api() {
  return kApi;
}

}  // namespace vissl::host
