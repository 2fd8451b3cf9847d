// It needs a libtorch of its own, which lies in a folder beside it.
#include "bad.hpp"
extern "C" int stand_in_for_libtorch();
struct WithTorch {
  double value(const vissl::ScheduleAt&) const { return stand_in_for_libtorch(); }
};
VISSL_LR_SCHEDULE(WithTorch, "bundles_libtorch", "Brings a libtorch.")
VISSL_PLUGIN("org.example.bundles_libtorch", "1.0.0")
