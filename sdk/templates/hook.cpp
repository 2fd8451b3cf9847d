// my_component: a hook, which acts between the parts of a step (events.hpp). This one logs the norm
// of all gradients every `frequency` steps, and counts in its state how often it did: a resumed run
// goes on counting.
#include <vissl/hook.hpp>
#include <vissl/plugin.hpp>
#include <vissl/state.hpp>

#include <limits>

namespace {

class MyComponent {
 public:
  static constexpr auto events = vissl::event_mask(vissl::Event::backward);

  static void params(vissl::Params& p) {
    p.integer("frequency", 1, vissl::at_least(1), "Train steps between two values.");
  }
  explicit MyComponent(const vissl::Config& c) : frequency_(c.integer("frequency")) {}

  // Gradients are complete, reduced over the ranks and unscaled here.
  void on_event(vissl::Event /*event*/, vissl::Run& run) {
    if (run.counters().iteration % frequency_ != 0) return;
    run.log_extra("grad_norm", run.clip_grads(std::numeric_limits<double>::infinity()));
    ++count_;
  }
  void save(vissl::Writer& out) const { out.put(count_); }
  void load(vissl::Reader& in, std::uint64_t /*version*/) { in.get(count_); }

 private:
  std::int64_t frequency_, count_ = 0;
};

}  // namespace

VISSL_HOOK(MyComponent, "my_component", "Logs the norm of all gradients.")
VISSL_PLUGIN("example.my_component", "0.1.0")
