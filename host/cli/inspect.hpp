#pragma once
// What vissl-host inspect says about a file of weights.
#include <optional>
#include <string>

#include "host/cli/terminal.hpp"
#include "host/files/weights_file.hpp"

namespace vissl::host {

struct InspectOptions {
  bool with_sha256 = false;  // of every tensor's contiguous little-endian bytes; reads them all
  std::optional<int> most;   // tensors that the text lists
  std::optional<std::uint64_t> file_bytes;  // for the text's first line
};

// {"format": "torch_zip", "tensors": [{"name": "state_dict.conv1.weight", "dtype": "float32",
//  "shape": [64, 3, 7, 7], "sha256": "..."}]}, one tensor a line.
std::string inspect_json(const WeightsFile& file, bool with_sha256);

// For people: format and size, metadata, the wrappers around the tensors, every tensor, objects of
// foreign classes, warnings. `name` is the file's.
std::string inspect_text(const std::string& name, const WeightsFile& file, const Terminal& terminal,
                         const InspectOptions& options);

}  // namespace vissl::host
