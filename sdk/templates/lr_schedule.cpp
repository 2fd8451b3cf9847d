// my_component: a schedule, the value of a hyper-parameter over the run: a straight line from
// `start` to `end`. Pure: equal arguments give equal values, in any order.
#include <vissl/lr_schedule.hpp>
#include <vissl/plugin.hpp>

namespace {

struct MyComponent {
  double start, end;

  static void params(vissl::Params& p) {
    p.number("start", vissl::required, "The value at the begin of the run.");
    p.number("end", 0.0, "The value at its end.");
  }
  explicit MyComponent(const vissl::Config& c) : start(c.number("start")), end(c.number("end")) {}

  // at.where runs from 0 to 1 over the run.
  double value(const vissl::ScheduleAt& at) const { return start + (end - start) * at.where; }
};

}  // namespace

VISSL_LR_SCHEDULE(MyComponent, "my_component", "A straight line over the run.")
VISSL_PLUGIN("example.my_component", "0.1.0")
