#include "host/data/array.hpp"

#include <cstring>
#include <limits>

#include "host/files/error.hpp"

namespace vissl::host {
namespace {

struct Facts {
  vissl_dtype dtype;
  std::size_t bytes;
  const char* name;
};
constexpr Facts kFacts[] = {
    {VISSL_U8, 1, "uint8"},         {VISSL_I8, 1, "int8"},     {VISSL_I16, 2, "int16"},
    {VISSL_I32, 4, "int32"},        {VISSL_I64, 8, "int64"},   {VISSL_F16, 2, "float16"},
    {VISSL_F32, 4, "float32"},      {VISSL_F64, 8, "float64"}, {VISSL_C64, 8, "complex64"},
    {VISSL_C128, 16, "complex128"}, {VISSL_BOOL, 1, "bool"},   {VISSL_BF16, 2, "bfloat16"},
};

const Facts* find_facts(vissl_dtype dtype) {
  for (const Facts& facts : kFacts) {
    if (facts.dtype == dtype) return &facts;
  }
  return nullptr;
}

// Calls `body` with a value of the C type of `dtype`; false for types without one.
template <class Body>
bool with_type(vissl_dtype dtype, Body&& body) {
  switch (dtype) {
    case VISSL_U8:
      body(std::uint8_t{});
      return true;
    case VISSL_I8:
      body(std::int8_t{});
      return true;
    case VISSL_I16:
      body(std::int16_t{});
      return true;
    case VISSL_I32:
      body(std::int32_t{});
      return true;
    case VISSL_I64:
      body(std::int64_t{});
      return true;
    case VISSL_F32:
      body(float{});
      return true;
    case VISSL_F64:
      body(double{});
      return true;
    case VISSL_BOOL:
      body(bool{});
      return true;
    default:
      return false;
  }
}

}  // namespace

std::size_t dtype_bytes(vissl_dtype dtype) {
  const Facts* facts = find_facts(dtype);
  if (facts == nullptr) {
    throw Error(Exit::run_failed, std::to_string(dtype) + " is no element type");
  }
  return facts->bytes;
}

const char* dtype_name(vissl_dtype dtype) {
  const Facts* facts = find_facts(dtype);
  return facts == nullptr ? "?" : facts->name;
}

std::int64_t element_count(const std::int64_t* shape, std::uint32_t ndim) {
  if (ndim > 8) {
    throw Error(Exit::run_failed, "an array has at most 8 dimensions, not " + std::to_string(ndim));
  }
  std::int64_t count = 1;
  for (std::uint32_t i = 0; i < ndim; ++i) {
    if (shape[i] < 0 || __builtin_mul_overflow(count, shape[i], &count) ||
        count > std::numeric_limits<std::int64_t>::max() / 16) {
      throw Error(Exit::run_failed, "no array can have the shape " + shape_text(shape, ndim));
    }
  }
  return count;
}

std::string shape_text(const std::int64_t* shape, std::uint32_t ndim) {
  std::string text = "(";
  for (std::uint32_t i = 0; i < ndim; ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(shape[i]);
  }
  return text + (ndim == 1 ? ",)" : ")");
}

void convert_elements(const void* from, vissl_dtype from_type, void* to, vissl_dtype to_type,
                      std::int64_t count) {
  if (count == 0) return;
  if (from_type == to_type) {
    std::memcpy(to, from, static_cast<std::size_t>(count) * dtype_bytes(to_type));
    return;
  }
  bool converted = false;
  with_type(from_type, [&](auto source) {
    converted = with_type(to_type, [&](auto target) {
      const auto* in = static_cast<const decltype(source)*>(from);
      auto* out = static_cast<decltype(target)*>(to);
      for (std::int64_t i = 0; i < count; ++i) out[i] = static_cast<decltype(target)>(in[i]);
    });
  });
  if (!converted) {
    throw Error(Exit::run_failed, std::string("cannot convert ") + dtype_name(from_type) +
                                      " elements to " + dtype_name(to_type));
  }
}

Array::Array(const vissl_array& source) : dtype_(source.dtype), ndim_(source.ndim) {
  const std::int64_t count = element_count(source.shape, source.ndim);
  for (std::uint32_t i = 0; i < ndim_; ++i) shape_[i] = source.shape[i];
  const std::size_t bytes = static_cast<std::size_t>(count) * dtype_bytes(dtype_);
  const auto* data = static_cast<const std::byte*>(source.data);
  bytes_.assign(data, data + bytes);
}

Array Array::scalar(std::int64_t value) {
  vissl_array source{sizeof(vissl_array), VISSL_I64, 0, {}, &value};
  return Array(source);
}

vissl_array Array::view() const {
  vissl_array out{sizeof(vissl_array), dtype_, ndim_, {}, bytes_.data()};
  for (std::uint32_t i = 0; i < ndim_; ++i) out.shape[i] = shape_[i];
  return out;
}

}  // namespace vissl::host
