// Its class table has no value method.
#include "bad.hpp"
static constexpr vissl_lr_schedule_class kHollow = [] {
  vissl_lr_schedule_class table = vissl::detail::LrScheduleKind<Right>::kTable;
  table.value = nullptr;
  return table;
}();
VISSL_COMPONENT(Right, VISSL_LR_SCHEDULE_ID, kHollow, "lr_schedule/missing_method/Lacks value.")
VISSL_PLUGIN("org.example.missing_method", "1.0.0")
