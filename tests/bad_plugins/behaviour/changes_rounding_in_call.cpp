// A method leaves another rounding mode.
#include <cfenv>

#include "bad.hpp"
struct Broken {
  double value(const vissl::ScheduleAt&) const {
    std::fesetround(FE_DOWNWARD);
    return 0.5;
  }
};
VISSL_LR_SCHEDULE(Broken, "changes_rounding_in_call", "Rounds down.")
VISSL_PLUGIN("org.example.changes_rounding_in_call", "1.0.0")
