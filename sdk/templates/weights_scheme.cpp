// my_component: a weights scheme, which says where weights are: params_file = "my_component://name"
// leads to the file name.torch in the folder `root`. Parameters stand in the config as
//
//   weights_schemes = [{ name = "my_component", root = "/data/weights" }]
#include <vissl/plugin.hpp>
#include <vissl/weights_scheme.hpp>

#include <filesystem>
#include <string>

namespace {

class MyComponent {
 public:
  static void params(vissl::Params& p) {
    p.path("root", vissl::required, "Folder of the weights.");
  }
  explicit MyComponent(const vissl::Config& c) : root_(c.string("root")) {}

  // An absolute path, or a locator of another scheme, which the host then follows.
  std::string resolve(std::string_view locator) const {
    const std::string name(vissl::locator_path(locator));
    const std::filesystem::path file = std::filesystem::absolute(root_ / (name + ".torch"));
    if (!std::filesystem::exists(file))
      vissl::fail(VISSL_E_DATA, "there is no file '" + file.string() + "'");
    return file.string();
  }

 private:
  std::filesystem::path root_;
};

}  // namespace

VISSL_WEIGHTS_SCHEME(MyComponent, "my_component", "Weights of one folder, by name.")
VISSL_PLUGIN("example.my_component", "0.1.0")
