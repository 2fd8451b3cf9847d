// It uses a missing value without a look.
#include "bad.hpp"
struct Broken : Right {
  static void params(vissl::Params& p) { p.integer("steps", 3, "Number of steps."); }
  explicit Broken(const vissl::Config& c) {
    const auto& api = vissl::service<vissl_value_api>(VISSL_VALUE_ID);
    const volatile int* at = api.find(c.handle(), vissl::str("steps")) == nullptr
                                 ? nullptr
                                 : reinterpret_cast<const volatile int*>(&api);
    steps = *at;
  }
  int steps;
};
VISSL_LR_SCHEDULE(Broken, "crashes_on_bad_value", "Trusts its config.")
VISSL_PLUGIN("org.example.crashes_on_bad_value", "1.0.0")
