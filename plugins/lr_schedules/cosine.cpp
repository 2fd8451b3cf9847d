// fvcore's CosineParamScheduler: v(w) = end + (start - end) / 2 * (1 + cos(pi w)), arXiv:1608.03983
// without restarts.
#include <vissl/lr_schedule.hpp>

#include <cmath>

using namespace vissl;

namespace {

constexpr double kPi = 3.14159265358979323846;

struct Cosine {
  double start, end, base;

  static void params(Params& p) {
    p.vissl_prefix("OPTIMIZER.param_schedulers.lr");
    p.number("start_value", 0.1, "The value at the beginning.");
    p.number("end_value", 0.0, "The value at the end.");
  }
  explicit Cosine(const Config& c)
      : start(c.number("start_value")), end(c.number("end_value")), base(scaling_base(c)) {}

  double value(const ScheduleAt& at) const {
    return end + 0.5 * (start - end) * (1 + std::cos(kPi * at.where));
  }
  void rescale(double factor, double /*ramp_from*/) {
    if (start == 0.0)
      fail(VISSL_E_CONFIG, "auto_lr_scaling needs a cosine whose start_value is not 0");
    end = base * factor * end / start;
    start = base * factor;
  }
};

}  // namespace

VISSL_LR_SCHEDULE(Cosine, "cosine", "From start_value to end_value along half a cosine wave.")
VISSL_PLUGIN("org.vissl.lr_schedules.cosine", "1.0.0")
