// fvcore's MultiStepParamScheduler: the value changes at milestones, given in epochs. v =
// values[number of milestones <= e] with e = int((w + 1e-6) * num_epochs).
#include <vissl/lr_schedule.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

using namespace vissl;

namespace {

constexpr double kEpsilon = 1e-6;  // a where just below an epoch's beginning counts as that epoch

// Python's round(x, digits).
double round_to(double x, int digits) {
  char text[400];
  std::snprintf(text, sizeof text, "%.*f", digits, x);
  return std::strtod(text, nullptr);
}

struct Multistep {
  static constexpr auto update_interval = "epoch";
  std::vector<double> values;
  std::vector<std::int64_t> milestones;
  bool equal_spacing;
  double base;

  static void params(Params& p) {
    p.vissl_prefix("OPTIMIZER.param_schedulers.lr");
    p.numbers("values", {0.1, 0.01, 0.001}, "The value of each stage.");
    p.integers("milestones", optional, at_least(1),
               "Train epochs where the next stage begins; absent = stages of equal length.");
  }
  explicit Multistep(const Config& c)
      : values(c.numbers("values")), equal_spacing(!c.has("milestones")), base(scaling_base(c)) {
    if (values.empty()) fail(VISSL_E_CONFIG, "'values' of multistep needs at least one number");
    if (equal_spacing) return;
    milestones = c.integers("milestones");
    if (milestones.size() + 1 != values.size()) {
      fail(VISSL_E_CONFIG, "'values' has " + std::to_string(values.size()) +
                               " numbers, which need " + std::to_string(values.size() - 1) +
                               " milestones, not " + std::to_string(milestones.size()));
    }
    for (std::size_t i = 1; i < milestones.size(); ++i) {
      if (milestones[i] <= milestones[i - 1]) {
        fail(VISSL_E_CONFIG, "'milestones' must rise; " + std::to_string(milestones[i]) +
                                 " comes after " + std::to_string(milestones[i - 1]));
      }
    }
  }

  double value(const ScheduleAt& at) const {
    const std::int64_t stages = static_cast<std::int64_t>(values.size());
    if (at.num_epochs < stages) {
      fail(VISSL_E_CONFIG, "multistep has " + std::to_string(stages) +
                               " values, but the run only " + std::to_string(at.num_epochs) +
                               " epochs");
    }
    if (!milestones.empty() && milestones.back() >= at.num_epochs) {
      fail(VISSL_E_CONFIG, "the milestone " + std::to_string(milestones.back()) +
                               " is not inside the run of " + std::to_string(at.num_epochs) +
                               " epochs");
    }
    const auto epoch =
        static_cast<std::int64_t>((at.where + kEpsilon) * static_cast<double>(at.num_epochs));
    std::int64_t stage = 0;
    if (equal_spacing) {
      stage = std::min(epoch / ((at.num_epochs + stages - 1) / stages), stages - 1);
    } else {
      stage = std::upper_bound(milestones.begin(), milestones.end(), epoch) - milestones.begin();
    }
    return values[static_cast<std::size_t>(stage)];
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

VISSL_LR_SCHEDULE(Multistep, "multistep", "Another value from each milestone on, in epochs.")
VISSL_PLUGIN("org.vissl.lr_schedules.multistep", "1.0.0")
