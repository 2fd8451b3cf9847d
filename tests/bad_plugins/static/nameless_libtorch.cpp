// It calls libtorch without naming it as a needed library.
#include "bad.hpp"
extern "C" int aoti_torch_dtype_float32();
struct WithTorch {
  double value(const vissl::ScheduleAt&) const { return aoti_torch_dtype_float32(); }
};
VISSL_LR_SCHEDULE(WithTorch, "nameless_libtorch", "Uses libtorch.")
VISSL_PLUGIN("org.example.nameless_libtorch", "1.0.0")
