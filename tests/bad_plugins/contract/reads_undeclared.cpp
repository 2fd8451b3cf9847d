// It reads a parameter that it does not declare.
#include "bad.hpp"
struct Broken : Right {
  explicit Broken(const vissl::Config& c) { static_cast<void>(c.has("secret_factor")); }
};
VISSL_LR_SCHEDULE(Broken, "reads_undeclared", "Has a secret.")
VISSL_PLUGIN("org.example.reads_undeclared", "1.0.0")
