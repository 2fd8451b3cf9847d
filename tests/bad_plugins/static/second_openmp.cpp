// It needs another OpenMP than libtorch's.
#include "bad.hpp"
extern "C" int stand_in_for_openmp();
struct WithOpenMp {
  double value(const vissl::ScheduleAt&) const { return stand_in_for_openmp(); }
};
VISSL_LR_SCHEDULE(WithOpenMp, "second_openmp", "Brings an OpenMP.")
VISSL_PLUGIN("org.example.second_openmp", "1.0.0")
