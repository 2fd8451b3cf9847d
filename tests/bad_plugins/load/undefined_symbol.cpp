// It needs a function that nobody has.
#include "bad.hpp"
extern "C" int function_that_nobody_has();
struct Broken {
  double value(const vissl::ScheduleAt&) const { return function_that_nobody_has(); }
};
VISSL_LR_SCHEDULE(Broken, "undefined_symbol", "Needs what is not there.")
VISSL_PLUGIN("org.example.undefined_symbol", "1.0.0")
