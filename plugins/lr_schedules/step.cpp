// fvcore's StepParamScheduler: stages of equal length. v = values[int((w + 1e-6) * number of
// values)].
#include <vissl/lr_schedule.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

using namespace vissl;

namespace {

constexpr double kEpsilon = 1e-6;  // a where just below a stage's beginning counts as that stage

// Python's round(x, digits).
double round_to(double x, int digits) {
  char text[400];
  std::snprintf(text, sizeof text, "%.*f", digits, x);
  return std::strtod(text, nullptr);
}

struct Step {
  static constexpr auto update_interval = "epoch";
  std::vector<double> values;
  double base;

  static void params(Params& p) {
    p.vissl_prefix("OPTIMIZER.param_schedulers.lr");
    p.numbers("values", {0.1, 0.01, 0.001}, "The value of each stage.");
  }
  explicit Step(const Config& c) : values(c.numbers("values")), base(scaling_base(c)) {
    if (values.empty()) fail(VISSL_E_CONFIG, "'values' of step needs at least one number");
  }

  double value(const ScheduleAt& at) const {
    const auto stage =
        static_cast<std::size_t>((at.where + kEpsilon) * static_cast<double>(values.size()));
    return values[std::min(stage, values.size() - 1)];
  }
  // VISSL keeps the ratio of the first two values for all stages.
  void rescale(double factor, double /*ramp_from*/) {
    const double gamma = values.size() > 1 ? round_to(values[1] / values[0], 6) : 1.0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = round_to(base * factor * std::pow(gamma, static_cast<double>(i)), 8);
    }
  }
};

}  // namespace

VISSL_LR_SCHEDULE(Step, "step", "Stages of equal length, one value each.")
VISSL_PLUGIN("org.vissl.lr_schedules.step", "1.0.0")
