// Its constructor refuses what its declaration gives.
#include "bad.hpp"
struct Broken : Right {
  static void params(vissl::Params& p) { p.integer("steps", 3, "An even number."); }
  explicit Broken(const vissl::Config& c) {
    if (c.integer("steps") % 2 != 0) vissl::fail(VISSL_E_CONFIG, "steps must be even");
  }
};
VISSL_LR_SCHEDULE(Broken, "refuses_its_defaults", "Refuses its defaults.")
VISSL_PLUGIN("org.example.refuses_its_defaults", "1.0.0")
