// Its class table ends before the methods.
#include "bad.hpp"
static constexpr vissl_lr_schedule_class kShort = [] {
  vissl_lr_schedule_class table = vissl::detail::LrScheduleKind<Right>::kTable;
  table.size = 24;
  return table;
}();
VISSL_COMPONENT(Right, VISSL_LR_SCHEDULE_ID, kShort, "lr_schedule/short_table/Ends early.")
VISSL_PLUGIN("org.example.short_table", "1.0.0")
