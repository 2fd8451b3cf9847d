// Its learning rates depend on what other runs of the process did.
#include <vissl/hook.hpp>
#include <vissl/plugin.hpp>
static int g_runs = 0;
struct Broken {
  static constexpr auto events = vissl::event_mask(vissl::Event::start);
  void on_event(vissl::Event, vissl::Run& run) const { run.scale_hyper("lr", 1.0 / ++g_runs); }
};
VISSL_HOOK(Broken, "hook_counts_over_runs", "Scales the learning rate.")
VISSL_PLUGIN("org.example.hook_counts_over_runs", "1.0.0")
