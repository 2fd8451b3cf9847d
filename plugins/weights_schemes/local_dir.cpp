// The weights scheme "local-dir": local-dir:/data/model is a folder as timm writes it; the file is
// the first of the usual names that is there, else the first by its ending.
#include <vissl/plugin.hpp>
#include <vissl/weights_scheme.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

constexpr const char* kUsual[] = {
    "model.safetensors",           "pytorch_model.bin",
    "pytorch_model.pth",           "model.pth",
    "open_clip_model.safetensors", "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin", "open_clip_pytorch_model.pth",
};
constexpr const char* kEndings[] = {".safetensors", ".pth", ".pth.tar", ".bin"};

bool ends_with(const std::string& text, const std::string& ending) {
  return text.size() > ending.size() &&
         text.compare(text.size() - ending.size(), ending.size(), ending) == 0;
}

std::string with_home(const std::string& path) {
  const char* home = std::getenv("HOME");
  const bool is_home = path == "~" || path.compare(0, 2, "~/") == 0;
  return is_home && home != nullptr ? home + path.substr(1) : path;
}

struct LocalDir {
  std::string resolve(const vissl::WeightsRequest& request) const {
    const fs::path folder =
        fs::absolute(with_home(std::string(vissl::locator_path(request.locator()))));
    std::error_code error;
    if (!fs::is_directory(folder, error))
      vissl::fail(VISSL_E_DATA, "Specified path is not a directory: " + folder.string());
    for (const char* name : kUsual)
      if (fs::is_regular_file(folder / name, error)) return (folder / name).string();
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder, error))
      if (entry.is_regular_file(error)) names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    for (const std::string ending : kEndings) {
      std::vector<std::string> found;
      for (const std::string& name : names)
        if (ends_with(name, ending)) found.push_back(name);
      if (found.empty()) continue;
      if (found.size() > 1)
        request.warn("Multiple " + ending + " checkpoints in " + folder.string() + ". Using '" +
                     found.front() + "'.");
      return (folder / found.front()).string();
    }
    vissl::fail(VISSL_E_DATA, "No suitable checkpoints found in " + folder.string() + ".");
  }
};

}  // namespace

VISSL_WEIGHTS_SCHEME(LocalDir, "local-dir", "A folder with a model's files, as timm writes it.")
VISSL_PLUGIN("org.vissl.local_dir", "1.0.0")
