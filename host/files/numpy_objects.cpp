// numpy's arrays, scalars and element types in a pickle.
#include <bit>
#include <cmath>
#include <cstring>

#include "host/files/damage.hpp"
#include "host/files/error.hpp"
#include "host/files/file_bytes.hpp"
#include "host/files/numpy_types.hpp"
#include "host/files/torch_object_builder.hpp"

namespace vissl::host {
namespace {

// Text whose characters are bytes; false if a character is beyond a byte or there are not exactly
// out.size() of them.
bool from_latin1(std::string_view text, std::span<char> out) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (at == out.size()) return false;
    if (lead < 0x80) {
      out[at++] = text[i];
    } else if ((lead == 0xc2 || lead == 0xc3) && i + 1 < text.size()) {
      ++i;
      out[at++] =
          static_cast<char>(((lead & 3) << 6) | (static_cast<unsigned char>(text[i]) & 0x3f));
    } else {
      return false;
    }
  }
  return at == out.size();
}

double half_to_double(std::uint16_t half) {
  const int exponent = (half >> 10) & 0x1f;
  const int fraction = half & 0x3ff;
  const double sign = (half & 0x8000) != 0 ? -1.0 : 1.0;
  if (exponent == 31) return fraction == 0 ? sign * INFINITY : std::nan("");
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  return sign * std::ldexp(1024 + fraction, exponent - 25);
}

template <class T>
T number_at(const std::byte* data) {
  T value;
  std::memcpy(&value, data, sizeof(T));
  return value;
}

}  // namespace

std::optional<TorchObjects::Raw> TorchObjects::raw_bytes(PickleId id) const {
  const PickleObject& object = graph_[id];
  if (object.kind == Kind::bytes) return Raw{object.text, false};
  if (object.kind != Kind::call) return std::nullopt;
  const std::string name = callable_name(object.callable);
  const Ids& args = arguments(object);
  if (name == "_codecs.encode" || (name == "builtins.bytearray" && args.size() == 2)) {
    if (args.size() != 2 || graph_[args[0]].kind != Kind::text) return std::nullopt;
    const std::string_view coding = graph_[args[1]].text;
    if (coding != "latin1" && coding != "latin-1") return std::nullopt;
    return Raw{graph_[args[0]].text, true};
  }
  if (name == "builtins.bytearray" || name == "builtins.bytes" || name == "pickle.PickleBuffer") {
    if (args.empty()) return Raw{};
    if (args.size() == 1 && graph_[args[0]].kind == Kind::bytes) return raw_bytes(args[0]);
  }
  return std::nullopt;
}

// _codecs.encode(text, "latin1"): each character is one byte.
Node TorchObjects::bytes(const Ids& args) const {
  if (args.size() != 2 || graph_[args[0]].kind != Kind::text ||
      (graph_[args[1]].text != "latin1" && graph_[args[1]].text != "latin-1")) {
    damaged("has bytes in an unknown encoding");
  }
  const std::string_view text = graph_[args[0]].text;
  Bytes out;
  // A character beyond ASCII takes two bytes, the second of which is like no first one.
  for (const char c : text) out.data.resize(out.data.size() + ((c & 0xc0) == 0x80 ? 0 : 1));
  if (!from_latin1(text, out.data)) damaged("has bytes that are not latin1");
  return Node(std::move(out));
}

NumpyType TorchObjects::numpy_type(PickleId id) const {
  const PickleObject& object = graph_[id];
  NumpyType type;
  if (object.kind != Kind::call || callable_name(object.callable) != "numpy.dtype") return type;
  const Ids& args = arguments(object);
  if (args.empty()) return type;
  std::string_view code = graph_[args[0]].text;
  const Ids& state = elements(object.state);
  std::string_view order = state.size() > 1 ? graph_[state[1]].text : std::string_view();
  if (code.find_first_of("<>=|") == 0) {
    order = code.substr(0, 1);
    code.remove_prefix(1);
  }
  type.code = code;
  type.is_object = code.starts_with('O');
  type.is_big_endian = order == ">";
  if (const NumpyCode* known = numpy_code(code)) type.dtype = known->dtype;
  return type;
}

// _reconstruct(numpy.ndarray, (0,), b"b") with the state ([version,] shape, dtype, is_fortran,
// bytes).
Node TorchObjects::array(const PickleObject& object, int depth) {
  const Ids& state = elements(object.state);
  if (state.size() < 4) return opaque(object, depth);
  const PickleId* part = &state[state.size() - 4];
  const NumpyType type = numpy_type(part[1]);
  if (type.is_object && graph_[part[3]].kind == Kind::list) {
    // An array of objects: the one of rank 0 is how numpy saves a dict.
    const Ids& members = graph_[part[3]].elements;
    if (elements(part[0]).empty() && members.size() == 1) return value(members[0], depth + 1);
    return Node(List{values(members, depth)});
  }
  const auto raw = raw_bytes(part[3]);
  if (!type.dtype || !raw) {
    warn("contains a numpy array of the type " + quoted_name(type.code) +
         ", which holds no plain numbers");
    return Node(Opaque{"numpy.ndarray", {}});
  }
  return array_of(type, integers(part[0]), graph_[part[2]].integer != 0, *raw);
}

// _frombuffer(bytes, dtype, shape, order), of protocol 5.
Node TorchObjects::array_from_buffer(const Ids& args, int depth) {
  const NumpyType type = numpy_type(args[1]);
  const auto raw = raw_bytes(args[0]);
  if (!type.dtype || !raw) {
    warn("contains a numpy array of the type " + quoted_name(type.code) +
         ", which holds no plain numbers");
    return Node(Opaque{"numpy.ndarray", {{"args", value(args[2], depth + 1)}}});
  }
  return array_of(type, integers(args[2]), graph_[args[3]].text == "F", *raw);
}

Node TorchObjects::array_of(const NumpyType& type, std::vector<std::int64_t> shape, bool is_fortran,
                            const Raw& raw) {
  spend(shape.size());
  const DType dtype = *type.dtype;
  std::uint64_t count = 1;
  for (const std::int64_t size : shape) {
    if (size < 0 || __builtin_mul_overflow(count, static_cast<std::uint64_t>(size), &count)) {
      damaged("has a numpy array with a bad shape");
    }
  }
  std::uint64_t needed = 0;
  if (__builtin_mul_overflow(count, size_bytes(dtype), &needed) || needed > raw.bytes.size() ||
      (!raw.is_text && needed != raw.bytes.size())) {
    damaged("has a numpy array whose bytes do not fit its shape");
  }
  TensorRef tensor;
  if (count != 0) tensor = TensorRef::contiguous(dtype, shape, nullptr);
  tensor.dtype = dtype;
  if (is_fortran && count != 0) tensor.strides = fortran_strides(shape);
  if (count == 0) tensor.strides.assign(shape.size(), 1);
  tensor.shape = std::move(shape);
  if (const auto known = arrays_.find(raw.bytes.data());
      count != 0 && known != arrays_.end() && known->second.dtype == dtype &&
      known->second.storage->size_bytes() == needed) {
    tensor.storage = known->second.storage;
    return Node(std::move(tensor));
  }
  const auto source = std::as_bytes(std::span(raw.bytes));
  const bool is_swapped = type.is_big_endian;
  const auto decode = [text = raw.bytes, needed, dtype, is_swapped, file = label()] {
    auto storage = Storage::allocate(needed);
    const auto out = storage->writable();
    if (!from_latin1(text, {reinterpret_cast<char*>(out.data()), out.size()})) {
      throw_damaged(file, "has a numpy array whose bytes do not fit its shape");
    }
    if (is_swapped) swap_elements(out, dtype);
    return storage;
  };
  // Text that was made while reading goes away with the graph.
  const bool stays = options_.keep_alive != nullptr && raw.bytes.data() >= graph_.source.data() &&
                     raw.bytes.data() < graph_.source.data() + graph_.source.size();
  if (raw.is_text) {
    tensor.storage =
        stays ? Storage::lazy(needed, [decode, keep = options_.keep_alive] { return decode(); })
              : decode();
  } else if (stays) {
    tensor.storage = file_storage(source, options_.keep_alive, dtype, is_swapped);
  } else {
    auto storage = Storage::copy_of(source);
    if (is_swapped) swap_elements(storage->writable(), dtype);
    tensor.storage = std::move(storage);
  }
  if (const char* problem = tensor.invalid()) damaged(std::string("has ") + problem);
  if (count != 0) arrays_.insert_or_assign(raw.bytes.data(), tensor);
  return Node(std::move(tensor));
}

// scalar(dtype, bytes): a number.
Node TorchObjects::scalar(const Ids& args, const PickleObject& object, int depth) {
  const NumpyType type = args.size() == 2 ? numpy_type(args[0]) : NumpyType();
  const auto raw = args.size() == 2 ? raw_bytes(args[1]) : std::nullopt;
  if (!type.dtype || !raw) return opaque(object, depth);
  const Node one = array_of(type, {}, false, *raw);
  const std::byte* data = one.as_tensor().storage->bytes().data();
  switch (*type.dtype) {
    case DType::boolean:
      return Node(number_at<std::uint8_t>(data) != 0);
    case DType::uint8:
      return Node(std::int64_t{number_at<std::uint8_t>(data)});
    case DType::uint16:
      return Node(std::int64_t{number_at<std::uint16_t>(data)});
    case DType::uint32:
      return Node(std::int64_t{number_at<std::uint32_t>(data)});
    case DType::int8:
      return Node(std::int64_t{number_at<std::int8_t>(data)});
    case DType::int16:
      return Node(std::int64_t{number_at<std::int16_t>(data)});
    case DType::int32:
      return Node(std::int64_t{number_at<std::int32_t>(data)});
    case DType::int64:
      return Node(number_at<std::int64_t>(data));
    case DType::float16:
      return Node(half_to_double(number_at<std::uint16_t>(data)));
    case DType::float32:
      return Node(double{number_at<float>(data)});
    case DType::float64:
      return Node(number_at<double>(data));
    default:
      return opaque(object, depth);
  }
}

}  // namespace vissl::host
