#pragma once
// Reads files through formats of weights as the host does.
#include <vissl/weights_format.h>
#include <vissl/test/host.hpp>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace vissl {
namespace test VISSL_HIDDEN {

struct ReadTensor {
  vissl_dtype dtype;
  std::vector<std::int64_t> shape;
  std::string bytes;  // of the elements, little-endian
};

struct ReadWeights {
  std::map<std::string, ReadTensor> tensors;
  std::vector<std::string> names;  // in the format's order
  std::map<std::string, std::string> metadata;
  std::vector<std::string> warnings;
};

// Whether `format` says that it knows a file of these bytes.
inline bool recognises_weights(const Instance& format, std::string_view bytes) {
  const vissl_weights_bytes file = {sizeof file,
                                    reinterpret_cast<const unsigned char*>(bytes.data()),
                                    bytes.size(),
                                    {nullptr, 0}};
  std::uint32_t is_known = 0;
  vissl::call(format.table<vissl_weights_format_class>(VISSL_WEIGHTS_FORMAT_ID).recognise,
              format.handle(), &file, &is_known);
  return is_known != 0;
}

namespace detail {

inline std::uint64_t element_bytes(vissl_dtype dtype) {
  static const std::map<vissl_dtype, std::uint64_t> sizes = {
      {VISSL_U8, 1},   {VISSL_I8, 1},  {VISSL_I16, 2},  {VISSL_I32, 4}, {VISSL_I64, 8},
      {VISSL_F16, 2},  {VISSL_F32, 4}, {VISSL_F64, 8},  {VISSL_C64, 8}, {VISSL_C128, 16},
      {VISSL_BOOL, 1}, {23, 1},        {VISSL_BF16, 2}, {24, 1},        {25, 1},
      {26, 1},         {27, 2},        {28, 4},         {29, 8}};
  const auto found = sizes.find(dtype);
  if (found == sizes.end())
    fail(VISSL_E_PLUGIN, "a tensor has the element type " + std::to_string(dtype));
  return found->second;
}

struct WeightsTaker {
  std::string_view file;
  ReadWeights result;
  std::vector<std::pair<std::string, std::uint64_t>> to_make;  // name and number
  std::string problem;

  vissl_status take(const vissl_weights_tensor& given) {
    const std::string name(view(given.name));
    std::uint64_t bytes = element_bytes(given.dtype);
    ReadTensor tensor{given.dtype, {given.shape, given.shape + given.ndim}, {}};
    for (const std::int64_t size : tensor.shape) bytes *= static_cast<std::uint64_t>(size);
    if (name.empty() || result.tensors.count(name) != 0) {
      problem = "a name is empty or stands twice: '" + name + "'";
    } else if (given.offset == VISSL_WEIGHTS_NOT_IN_FILE) {
      to_make.emplace_back(name, result.names.size());
      tensor.bytes.resize(static_cast<std::size_t>(bytes));
    } else if (given.offset > file.size() || bytes > file.size() - given.offset) {
      problem = "the tensor '" + name + "' does not lie in the file";
    } else {
      tensor.bytes =
          file.substr(static_cast<std::size_t>(given.offset), static_cast<std::size_t>(bytes));
      if ((given.flags & VISSL_WEIGHTS_BIG_ENDIAN) != 0) {
        const auto unit = static_cast<std::ptrdiff_t>(element_bytes(given.dtype));
        for (auto at = tensor.bytes.begin(); at != tensor.bytes.end(); at += unit)
          std::reverse(at, at + unit);
      }
    }
    if (!problem.empty()) return VISSL_E_DATA;
    result.names.push_back(name);
    result.tensors.emplace(name, std::move(tensor));
    return VISSL_OK;
  }
};

}  // namespace detail

// All tensors of a file of these bytes; throws Failure with what the format says, or what the host
// would refuse. `path`: of the file, for formats that look beside it.
inline ReadWeights read_weights(const Instance& format, std::string_view bytes,
                                std::string_view path = "") {
  const auto& table = format.table<vissl_weights_format_class>(VISSL_WEIGHTS_FORMAT_ID);
  detail::WeightsTaker taker;
  taker.file = bytes;
  const vissl_weights_tensor_sink sink = {
      sizeof sink, &taker,
      [](void* self, const vissl_weights_tensor* given) {
        return static_cast<detail::WeightsTaker*>(self)->take(*given);
      },
      [](void* self, vissl_str key, vissl_str value) {
        static_cast<detail::WeightsTaker*>(self)->result.metadata[std::string(view(key))] =
            view(value);
      },
      [](void* self, vissl_str sentence) {
        static_cast<detail::WeightsTaker*>(self)->result.warnings.emplace_back(view(sentence));
      }};
  const vissl_weights_bytes file = {
      sizeof file, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), str(path)};
  void* opened = nullptr;
  ErrorSink error;
  const vissl_status status = table.open(format.handle(), &file, &sink, &opened, error);
  struct Close {
    const vissl_weights_format_class& table;
    void* opened;
    bool is_open;
    ~Close() {
      if (is_open && table.close != nullptr) table.close(opened);
    }
  } const close = {table, opened, status == VISSL_OK};
  if (!taker.problem.empty()) fail(VISSL_E_DATA, taker.problem);
  check(status, error);
  for (const auto& [name, number] : taker.to_make) {
    std::string& elements = taker.result.tensors[name].bytes;
    if (table.read == nullptr) fail(VISSL_E_PLUGIN, "nobody makes the tensor '" + name + "'");
    vissl::call(table.read, opened, number, &elements[0], elements.size());
  }
  return std::move(taker.result);
}

// The file that the format writes of itself.
inline std::string sample_of(const Instance& format) {
  const auto& table = format.table<vissl_weights_format_class>(VISSL_WEIGHTS_FORMAT_ID);
  if (table.sample == nullptr) fail(VISSL_E_UNSUPPORTED, "the format writes no sample");
  std::string bytes;
  const vissl_out out = {sizeof out, &bytes, [](void* self, const void* data, std::uint64_t count) {
                           static_cast<std::string*>(self)->append(static_cast<const char*>(data),
                                                                   static_cast<std::size_t>(count));
                           return count;
                         }};
  vissl::call(table.sample, format.handle(), &out);
  return bytes;
}

}  // namespace test
}  // namespace vissl
