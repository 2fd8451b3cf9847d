#include "fuzz/format_target.hpp"

#include <vissl/weights_format.h>

#include <cstdlib>
#include <iterator>
#include <utility>
#include <vector>

namespace vissl::fuzz {

namespace {

constexpr std::uint64_t kLargestTouch = std::uint64_t{1} << 20;

// What the plugin said, as far as it is of use: a tensor beyond the file is refused, as the host
// does.
struct Taken {
  const vissl_weights_bytes* file;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> made;  // number and bytes
  std::uint64_t count = 0;
};

// The plugin's mistake, whatever the file is.
void demand(bool holds) {
  if (!holds) std::abort();
}

std::uint64_t element_bytes(vissl_dtype dtype) {
  constexpr std::uint64_t kBytes[] = {1, 1, 2, 4, 8, 2, 4, 8, 0, 8, 16, 1, 0, 0, 0,
                                      2, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1,  1, 2, 4, 8};
  demand(dtype >= 0 && static_cast<std::size_t>(dtype) < std::size(kBytes));
  demand(kBytes[dtype] != 0);
  return kBytes[dtype];
}

vissl_status take(void* self, const vissl_weights_tensor* tensor) {
  Taken& taken = *static_cast<Taken*>(self);
  demand(tensor->ndim <= 8);
  std::uint64_t bytes = element_bytes(tensor->dtype);
  bool is_empty = false;
  for (std::uint32_t i = 0; i < tensor->ndim; ++i) {
    if (tensor->shape[i] < 0) return VISSL_E_DATA;
    is_empty = is_empty || tensor->shape[i] == 0;
  }
  for (std::uint32_t i = 0; i < tensor->ndim && !is_empty; ++i)
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(tensor->shape[i]), &bytes))
      return VISSL_E_DATA;
  if (is_empty) bytes = 0;
  if (tensor->offset == VISSL_WEIGHTS_NOT_IN_FILE) {
    if (bytes <= kLargestTouch) taken.made.emplace_back(taken.count, bytes);
  } else if (tensor->offset > taken.file->count || bytes > taken.file->count - tensor->offset) {
    return VISSL_E_DATA;
  }
  ++taken.count;
  return VISSL_OK;
}

void set_error(vissl_err*, vissl_status status, vissl_str text) {
  // What is wrong with a file is the file's fault, and has a text.
  demand(status == VISSL_E_DATA && text.size != 0);
}

}  // namespace

void run_format(const vissl_plugin& plugin, const std::uint8_t* data, std::size_t size) {
  const vissl_component& component = *plugin.components[0];
  const auto& format = *static_cast<const vissl_weights_format_class*>(component.table);
  vissl_err err = {sizeof err, nullptr, set_error};
  void* instance = nullptr;
  demand(format.create(nullptr, &instance, &err) == VISSL_OK);
  const vissl_weights_bytes file = {sizeof file, data, size, {nullptr, 0}};
  std::uint32_t is_known = 0;
  demand(format.recognise(instance, &file, &is_known, &err) == VISSL_OK);
  Taken taken{&file, {}, 0};
  const vissl_weights_tensor_sink sink = {
      sizeof sink, &taken, take, [](void*, vissl_str, vissl_str) {}, [](void*, vissl_str) {}};
  void* opened = nullptr;
  if (is_known != 0 && format.open(instance, &file, &sink, &opened, &err) == VISSL_OK) {
    for (const auto& [number, bytes] : taken.made) {
      std::vector<char> elements(static_cast<std::size_t>(bytes));
      format.read(opened, number, elements.data(), bytes, &err);
    }
    if (format.close != nullptr) format.close(opened);
  }
  format.destroy(instance);
}

}  // namespace vissl::fuzz
