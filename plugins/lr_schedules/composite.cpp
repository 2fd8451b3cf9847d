// fvcore's CompositeParamScheduler: other schedules one after the other, each for a part of the
// run.
//
// A child is picked by the first running total of lengths that reaches w + 1e-6. "rescaled" gives
// it its own progress from 0 to 1, "fixed" the progress of the whole run, so a fixed cosine after
// 10 % of warm-up begins at cos(0.1 pi).
//
// auto_lr_scaling scales every child and moves the start of linear children (the warm-up) to
// `ramp_from`; without one the last linear child goes. Departs from VISSL there: with two or more
// children left VISSL fails because it keeps the lengths of all; here the others share the run in
// proportion to their lengths. Children are scaled with the composite, never by themselves, so
// auto_scale in a child is refused; VISSL ignores it.
#include <vissl/components.hpp>

#include <cmath>
#include <cstddef>

using namespace vissl;

namespace {

constexpr double kEpsilon = 1e-6;  // a where just below a child's beginning counts as that child
constexpr double kLengthTolerance = 1e-3;  // what the lengths may miss 1 by

struct Child {
  InnerSchedule schedule;
  double length;
  bool rescaled;
  bool is_linear;
  double base;  // of its own auto_lr_scaling
  // Of a linear child whose start was moved: v = end * w + start * (1 - w).
  std::optional<double> ramp_start, ramp_end;

  double value(const ScheduleAt& at) const {
    if (ramp_start) return *ramp_end * at.where + *ramp_start * (1 - at.where);
    return schedule.value(at);
  }
};

struct Composite {
  std::vector<Child> children;
  double base;

  static void params(Params& p) {
    p.vissl_prefix("OPTIMIZER.param_schedulers.lr");
    p.components("schedulers", "lr_schedule", required, "The schedules, in order.");
    p.numbers("lengths", required, above(0.0).at_most(1.0),
              "Part of the run that each schedule has; the sum is 1.");
    p.strings(
        "interval_scaling", {}, one_of("rescaled", "fixed"),
        "Per schedule: progress within its own part, or within the run. Empty = all rescaled.");
  }
  explicit Composite(const Config& c) : base(scaling_base(c)) {
    const std::vector<Config> inner = c.list("schedulers");
    const std::vector<double> lengths = c.numbers("lengths");
    const std::vector<std::string> scaling = c.strings("interval_scaling");
    if (inner.empty() || lengths.size() != inner.size() ||
        (!scaling.empty() && scaling.size() != inner.size())) {
      fail(VISSL_E_CONFIG, "'lengths' and 'interval_scaling' need one entry for each of the " +
                               std::to_string(inner.size()) + " schedulers, not " +
                               std::to_string(lengths.size()) + " and " +
                               std::to_string(scaling.size()) + "; interval_scaling may be empty");
    }
    double total = 0;
    for (const double length : lengths) total += length;
    if (std::abs(total - 1.0) >= kLengthTolerance) {
      fail(VISSL_E_CONFIG, "'lengths' must add up to 1, not to " + detail::to_toml(total));
    }
    for (std::size_t i = 0; i < inner.size(); ++i) {
      if (scales_itself(inner[i])) {
        fail(VISSL_E_CONFIG, inner[i].where() +
                                 ": a schedule inside a composite is scaled with "
                                 "it; move auto_lr_scaling to the composite");
      }
      children.push_back({InnerSchedule(inner[i]),
                          lengths[i],
                          scaling.empty() || scaling[i] == "rescaled",
                          inner[i].string("name") == "linear",
                          scaling_base(inner[i]),
                          {},
                          {}});
    }
    children.back().length -= total - 1.0;
  }

  double value(const ScheduleAt& at) const {
    std::size_t i = 0;
    double end = children[0].length;
    while (at.where + kEpsilon > end && i + 1 < children.size()) end += children[++i].length;
    ScheduleAt inner = at;
    if (children[i].rescaled)
      inner.where = (at.where - (end - children[i].length)) / children[i].length;
    return children[i].value(inner);
  }

  static bool scales_itself(const Config& schedule) {
    const std::optional<Config> scaling = schedule.find("auto_lr_scaling");
    return scaling && scaling->has("auto_scale") && scaling->boolean("auto_scale");
  }

  void rescale(double factor, double ramp_from) {
    const double scaled = base * factor;
    for (Child& child : children) {
      child.schedule.rescale(scaled / child.base, ramp_from);
      if (child.is_linear && !std::isnan(ramp_from)) {
        child.ramp_start = ramp_from;
        child.ramp_end = scaled;
      }
    }
    if (std::isnan(ramp_from)) drop_last_linear();
  }
  void drop_last_linear() {
    for (std::size_t i = children.size(); i-- > 0 && children.size() > 1;) {
      if (!children[i].is_linear) continue;
      const double left = 1.0 - children[i].length;
      children.erase(children.begin() + static_cast<std::ptrdiff_t>(i));
      for (Child& child : children) child.length /= left;
      if (children.size() == 1) children[0].rescaled = true;  // it is the whole run now
      return;
    }
  }
};

}  // namespace

VISSL_LR_SCHEDULE(Composite, "composite", "Several schedules one after the other.")
VISSL_PLUGIN("org.vissl.lr_schedules.composite", "1.0.0")
