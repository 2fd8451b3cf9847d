// It gives a path that depends on the working folder.
#include <vissl/plugin.hpp>
#include <vissl/weights_scheme.hpp>
struct Broken {
  explicit Broken(const vissl::Config&) {}
  std::string resolve(std::string_view locator) const {
    return "weights/" + std::string(vissl::locator_path(locator));
  }
};
VISSL_WEIGHTS_SCHEME(Broken, "scheme_finds_all", "A scheme with a fault.")
VISSL_PLUGIN("org.example.scheme_finds_all", "1.0.0")
