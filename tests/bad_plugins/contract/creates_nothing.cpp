// Its create succeeds without an instance.
#include "bad.hpp"
static vissl_status create_nothing(const vissl_value*, void**, vissl_err*) {
  return VISSL_OK;
}
static constexpr vissl_lr_schedule_class kNothing = [] {
  vissl_lr_schedule_class table = vissl::detail::LrScheduleKind<Right>::kTable;
  table.create = &create_nothing;
  return table;
}();
VISSL_COMPONENT(Right, VISSL_LR_SCHEDULE_ID, kNothing, "lr_schedule/creates_nothing/Is nothing.")
VISSL_PLUGIN("org.example.creates_nothing", "1.0.0")
