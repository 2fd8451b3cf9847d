// fvcore's LinearParamScheduler: v(w) = end * w + start * (1 - w).
#include <vissl/lr_schedule.hpp>

using namespace vissl;

namespace {

struct Linear {
  double start, end, base;

  static void params(Params& p) {
    p.vissl_prefix("OPTIMIZER.param_schedulers.lr");
    p.number("start_value", 0.1, "The value at the beginning.");
    p.number("end_value", 0.0, "The value at the end.");
  }
  explicit Linear(const Config& c)
      : start(c.number("start_value")), end(c.number("end_value")), base(scaling_base(c)) {}

  double value(const ScheduleAt& at) const { return end * at.where + start * (1 - at.where); }
  // VISSL leaves the start alone; a composite moves the start of its warm-up itself.
  void rescale(double factor, double /*ramp_from*/) { end = base * factor; }
};

}  // namespace

VISSL_LR_SCHEDULE(Linear, "linear", "From start_value to end_value in a straight line.")
VISSL_PLUGIN("org.vissl.lr_schedules.linear", "1.0.0")
