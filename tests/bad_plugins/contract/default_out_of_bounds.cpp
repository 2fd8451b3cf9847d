// It declares a default outside of its own bounds.
#include "bad.hpp"
struct Broken : Right {
  static void params(vissl::Params& p) {
    p.number("temperature", -1.0, vissl::above(0.0), "Divides.");
  }
};
VISSL_LR_SCHEDULE(Broken, "default_out_of_bounds", "Has a default that it forbids.")
VISSL_PLUGIN("org.example.default_out_of_bounds", "1.0.0")
