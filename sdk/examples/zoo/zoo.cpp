// The weights scheme "zoo": params_file = "zoo://resnet50/simclr" names weights by what they are
// instead of where they lie. The folder `root` holds index.txt with one line per model, "name
// place"; a place is a path relative to the folder, or a locator of another scheme, which the host
// follows.
//
//   weights_schemes = [{ name = "zoo", root = "/data/zoo" }]
#include <vissl/plugin.hpp>
#include <vissl/weights_scheme.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace fs = std::filesystem;

namespace {

class Zoo {
 public:
  static void params(vissl::Params& p) {
    p.path("root", vissl::required, "Folder with index.txt and the weights.");
  }
  explicit Zoo(const vissl::Config& c) : root_(c.string("root")) {}

  std::string resolve(std::string_view locator) const {
    const std::string_view wanted = vissl::locator_path(locator);
    std::string known;
    for (const auto& [name, place] : index()) {
      if (name == wanted) return place;
      known += (known.empty() ? "" : ", ") + name;
    }
    vissl::fail(VISSL_E_DATA, "the zoo has no '" + std::string(wanted) + "'; it has: " + known);
  }

  // For `vissl-host show models`.
  void names(const vissl::WeightsNames& names) const {
    for (const auto& [name, place] : index()) names.add(name, place);
  }

 private:
  std::vector<std::pair<std::string, std::string>> index() const {
    const fs::path path = root_ / "index.txt";
    std::ifstream file(path);
    if (!file.is_open()) vissl::fail(VISSL_E_DATA, "cannot read the zoo's " + path.string());
    std::vector<std::pair<std::string, std::string>> entries;
    std::string line, name, place;
    while (std::getline(file, line)) {
      std::istringstream words(line);
      if (!(words >> name >> place)) continue;
      const bool is_locator = place.find("://") != std::string::npos;
      entries.emplace_back(
          name, is_locator ? place : fs::absolute(root_ / place).lexically_normal().string());
    }
    return entries;
  }

  fs::path root_;
};

}  // namespace

VISSL_WEIGHTS_SCHEME(Zoo, "zoo", "Weights by the names of an index file.")
VISSL_PLUGIN("example.zoo", "1.0.0")
