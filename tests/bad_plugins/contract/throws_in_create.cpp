// An exception leaves its create, which is a plain C function.
#include <stdexcept>

#include "bad.hpp"
static vissl_status create_throwing(const vissl_value*, void**, vissl_err*) {
  throw std::runtime_error("lost its way");
}
static constexpr vissl_lr_schedule_class kThrowing = [] {
  vissl_lr_schedule_class table = vissl::detail::LrScheduleKind<Right>::kTable;
  table.create = &create_throwing;
  return table;
}();
VISSL_COMPONENT(Right, VISSL_LR_SCHEDULE_ID, kThrowing, "lr_schedule/throws_in_create/Throws.")
VISSL_PLUGIN("org.example.throws_in_create", "1.0.0")
