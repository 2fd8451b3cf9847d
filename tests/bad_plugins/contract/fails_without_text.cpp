// Its create fails and does not say why.
#include "bad.hpp"
static vissl_status create_mute(const vissl_value*, void**, vissl_err*) {
  return VISSL_E_CONFIG;
}
static constexpr vissl_lr_schedule_class kMute = [] {
  vissl_lr_schedule_class table = vissl::detail::LrScheduleKind<Right>::kTable;
  table.create = &create_mute;
  return table;
}();
VISSL_COMPONENT(Right, VISSL_LR_SCHEDULE_ID, kMute, "lr_schedule/fails_without_text/Is mute.")
VISSL_PLUGIN("org.example.fails_without_text", "1.0.0")
