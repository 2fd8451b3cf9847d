// fvcore's ConstantParamScheduler.
#include <vissl/lr_schedule.hpp>

using namespace vissl;

namespace {

struct Constant {
  static constexpr auto update_interval = "epoch";
  double constant, base;

  static void params(Params& p) {
    p.vissl_prefix("OPTIMIZER.param_schedulers.lr");
    p.number("value", 0.1, "The value during the whole run.");
  }
  explicit Constant(const Config& c) : constant(c.number("value")), base(scaling_base(c)) {}

  double value(const ScheduleAt& at) const {
    if (at.where >= 1.0)
      fail("a schedule is evaluated at " + std::to_string(at.where) + ", after the end");
    return constant;
  }
  void rescale(double factor, double /*ramp_from*/) { constant = base * factor; }
};

}  // namespace

VISSL_LR_SCHEDULE(Constant, "constant", "The same value during the whole run.")
VISSL_PLUGIN("org.vissl.lr_schedules.constant", "1.0.0")
