// Components whose results the host cannot use.
#include <string>

#include <vissl/hook.hpp>
#include <vissl/loss.hpp>
#include <vissl/plugin.hpp>
#include <vissl/trunk.hpp>

using namespace vissl;

namespace {

struct LossPerRow {
  explicit LossPerRow(const Config&) {}
  Tensor forward(const Tensor& output, const Tensor&) const { return output.sum(Ints(1)); }
};

struct MetricOfText {
  explicit MetricOfText(const Config&) {}
  static constexpr auto events = event_mask(Event::phase_end);
  void on_event(Event, Run& run) const { run.phase_metric("words", "no number"); }
};

struct LazyTrunk {
  explicit LazyTrunk(const Config&) {}
  void build(const nn::Scope&, const RunFacts&) {}
  std::vector<std::string> features() const { return {"first", "last"}; }
  void forward(const TrunkCall& call, Features& out) const {
    out.put("first", call.image().flatten(1));
  }
};

}  // namespace

VISSL_LOSS(LossPerRow, "loss_per_row", "Gives a number for each row.")
VISSL_HOOK(MetricOfText, "metric_of_text", "Gives a metric that is no JSON.")
VISSL_TRUNK(LazyTrunk, "lazy_trunk", "Leaves its last feature out.")
VISSL_PLUGIN("org.vissl.test.faulty", "1.0.0")
