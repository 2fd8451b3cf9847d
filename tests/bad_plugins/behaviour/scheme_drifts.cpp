// It leads to another place at each call.
#include <vissl/plugin.hpp>
#include <vissl/weights_scheme.hpp>
struct Broken {
  explicit Broken(const vissl::Config&) {}
  std::string resolve(std::string_view) { return "/data/" + std::to_string(++calls_); }
  int calls_ = 0;
};
VISSL_WEIGHTS_SCHEME(Broken, "scheme_drifts", "A scheme with a fault.")
VISSL_PLUGIN("org.example.scheme_drifts", "1.0.0")
