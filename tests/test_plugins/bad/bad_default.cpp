// It declares a default outside its own bounds.
#include "bad_entry.hpp"
struct Broken {
  static void params(vissl::Params& p) {
    p.number("temperature", -1.0, vissl::above(0.0), "Divides.");
  }
};
PLAIN(loss, Broken, "bad_default")
BAD_PLUGIN("bad_default", "1.0", 1, nullptr)
