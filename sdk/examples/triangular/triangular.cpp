// The triangular cyclic schedule of Smith, "Cyclical learning rates for training neural networks"
// (arXiv:1506.01186), section 3.1: the value rises in a straight line from `low` to `high` and
// falls back, `cycles` times per run.
#include <vissl/lr_schedule.hpp>
#include <vissl/plugin.hpp>

#include <cmath>

namespace {

struct Triangular {
  double low, high, cycles;

  static void params(vissl::Params& p) {
    p.number("low", vissl::required, "The value where a cycle begins and ends.");
    p.number("high", vissl::required, "The value in the middle of a cycle.");
    p.integer("cycles", 1, vissl::at_least(1), "How often the value rises and falls in a run.");
  }
  explicit Triangular(const vissl::Config& c)
      : low(c.number("low")),
        high(c.number("high")),
        cycles(static_cast<double>(c.integer("cycles"))) {}

  double value(const vissl::ScheduleAt& at) const {
    const double phase = std::fmod(at.where * cycles, 1.0);
    return low + (high - low) * (1 - std::abs(2 * phase - 1));
  }
};

}  // namespace

VISSL_LR_SCHEDULE(Triangular, "triangular",
                  "Rises and falls in straight lines, several times per run.")
VISSL_PLUGIN("example.triangular", "1.0.0")
