#pragma once
// The parts of reading a pickle that the readers of weights share.
#include <string_view>

#include "host/files/file_bytes.hpp"
#include "host/files/torch_objects.hpp"
#include "host/files/weights_file.hpp"

namespace vissl::host {

TorchObjectOptions object_options(const WeightsReadOptions& options, WeightsFile& out);

inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A pickle that stands alone: arrays inside it are its only tensors.
Node read_lone_pickle(const FileBytes& file, const WeightsReadOptions& options, WeightsFile& out);

}  // namespace vissl::host
