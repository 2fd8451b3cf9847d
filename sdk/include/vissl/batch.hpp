#pragma once
// A batch under construction: fields by name, each with one element (multi-crop batches: one per
// crop). A reference to the host's batch. [worker]
#include <vissl/batch.h>
#include <vissl/sample.hpp>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

class Batch {
 public:
  explicit Batch(vissl_batch* handle) : handle_(handle) {}
  vissl_batch* handle() const noexcept { return handle_; }

  // In `layout` or `finish`: appends an element to the field; shape[0] counts rows, memory starts
  // undefined. `nested`: the model sees the field's elements as a list of tensors (multi-crop).
  template <class T>
  void add(std::string_view name, const std::vector<std::int64_t>& shape, bool nested = false) {
    call(api().add, handle_, str(name), dtype_code<T>(), static_cast<std::uint32_t>(shape.size()),
         shape.data(), std::uint32_t{nested});
  }
  void add(std::string_view name, vissl_dtype dtype, const std::vector<std::int64_t>& shape,
           bool nested = false) {
    call(api().add, handle_, str(name), dtype, static_cast<std::uint32_t>(shape.size()),
         shape.data(), std::uint32_t{nested});
  }
  // The same for `rows` images like this one: floats (rows, C, H, W), or bytes (rows, H, W, C)
  // before ToTensor; and for `rows` arrays of this shape and type.
  void add_images(std::string_view name, std::int64_t rows, const Image& like,
                  bool nested = false) {
    const vissl_image_info info = like.info();
    if (info.is_float != 0) {
      add<float>(name, {rows, info.channels, info.height, info.width}, nested);
    } else {
      add<std::uint8_t>(name, {rows, info.height, info.width, info.channels}, nested);
    }
  }
  void add_arrays(std::string_view name, std::int64_t rows, const vissl_array& like) {
    std::vector<std::int64_t> shape = shape_of(like);
    shape.insert(shape.begin(), rows);
    add(name, like.dtype, shape);
  }
  std::uint64_t count(std::string_view name) const {
    return api().element_count(handle_, str(name));
  }
  vissl_array array(std::string_view name, std::uint64_t element = 0) const {
    vissl_array out = {};
    out.size = sizeof out;
    call(api().array, handle_, str(name), element, &out);
    return out;
  }
  // The element's memory, writable; T must be its element type.
  template <class T>
  T* data(std::string_view name, std::uint64_t element = 0) {
    const vissl_array found = array(name, element);
    if (found.dtype != dtype_code<T>()) {
      fail("the field '" + std::string(name) + "' has another element type");
    }
    return static_cast<T*>(const_cast<void*>(found.data));
  }

  // Sizes must match; an image is written as floats (C, H, W) or bytes (H, W, C) as the element is.
  void write(std::string_view name, std::uint64_t element, std::int64_t row, const Image& image) {
    call(api().write_image, handle_, str(name), element, row, image.handle());
  }
  // Converted to the element's type.
  void write(std::string_view name, std::uint64_t element, std::int64_t row,
             const vissl_array& array) {
    call(api().write_array, handle_, str(name), element, row, &array);
  }
  template <class T, class = std::enable_if_t<std::is_arithmetic_v<T>>>
  void write(std::string_view name, std::uint64_t element, std::int64_t row, T value) {
    write(name, element, row, scalar_view(value));
  }

  // The collator's random stream: (seed, train phase, batch number).
  RngStream rng() const {
    vissl_rng stream;
    api().rng(handle_, &stream);
    return RngStream(stream);
  }

 private:
  static const vissl_batch_api& api() { return service<vissl_batch_api>(VISSL_BATCH_ID); }
  vissl_batch* handle_;
};

}  // namespace abi1
}  // namespace vissl
