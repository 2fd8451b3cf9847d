#include "host/files/weights_file.hpp"

#include <algorithm>

#include "host/files/damage.hpp"
#include "host/files/error.hpp"
#include "host/files/file_bytes.hpp"
#include "host/files/mapped_file.hpp"
#include "host/files/safetensors_reader.hpp"
#include "host/files/sniff.hpp"
#include "host/files/torch_zip_reader.hpp"

namespace vissl::host {
namespace {

namespace fs = std::filesystem;

// The file that a folder stands for.
fs::path file_of(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return path;
  constexpr const char* kNames[] = {"checkpoint.torch", "model.safetensors.index.json",
                                    "model.safetensors", "pytorch_model.bin.index.json",
                                    "pytorch_model.bin"};
  std::string names;
  for (const char* name : kNames) {
    if (fs::exists(path / name, ignored)) return path / name;
    names += (names.empty() ? "" : ", ") + std::string(name);
  }
  throw Error(Exit::bad_data, path.string() + ": is a folder without any of " + names +
                                  "; name the file of weights itself");
}

void read_zip(const FileBytes& file, const WeightsReadOptions& options, WeightsFile& out) {
  TorchZipReadOptions torch;
  torch.verify = options.verify;
  torch.deepest = options.deepest;
  torch.most_nodes = options.most_nodes;
  out.format = "torch_zip";
  out.tree = read_torch_zip(file.bytes, file.keep_alive, file.name, torch);
}

}  // namespace

WeightsFile read_weights_file(const fs::path& given, const WeightsReadOptions& options) {
  const auto mapped = MappedFile::open(file_of(given));
  const FileBytes file{mapped->bytes(), mapped, mapped->name()};
  WeightsFile out;
  switch (sniff_weights(file.bytes, file.name)) {
    case WeightsFormat::zip:
      read_zip(file, options, out);
      break;
    case WeightsFormat::safetensors:
      read_safetensors(file, out);
      break;
    default:
      throw Error(Exit::bad_data, file.name + ": is of a format that is not read yet");
  }
  return out;
}

}  // namespace vissl::host
