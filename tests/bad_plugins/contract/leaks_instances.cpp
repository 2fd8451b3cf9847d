// Its destroy frees nothing.
#include "bad.hpp"
struct Large : Right {
  double values[64] = {};
};
static constexpr vissl_lr_schedule_class kLeaking = [] {
  vissl_lr_schedule_class table = vissl::detail::LrScheduleKind<Large>::kTable;
  table.destroy = [](void*) {};
  return table;
}();
VISSL_COMPONENT(Large, VISSL_LR_SCHEDULE_ID, kLeaking, "lr_schedule/leaks_instances/Leaks.")
VISSL_PLUGIN("org.example.leaks_instances", "1.0.0")
