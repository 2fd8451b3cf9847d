// It calls an unknown name a fault of the config.
#include <vissl/plugin.hpp>
#include <vissl/weights_scheme.hpp>
struct Broken {
  explicit Broken(const vissl::Config&) {}
  std::string resolve(std::string_view locator) const {
    vissl::fail(VISSL_E_CONFIG, "no " + std::string(locator));
  }
};
VISSL_WEIGHTS_SCHEME(Broken, "scheme_blames_config", "A scheme with a fault.")
VISSL_PLUGIN("org.example.scheme_blames_config", "1.0.0")
