// Its learning rate follows a counter that no checkpoint holds.
#include <vissl/hook.hpp>
#include <vissl/plugin.hpp>
struct Broken {
  int steps = 0;
  static constexpr auto events = vissl::event_mask(vissl::Event::step);
  void on_event(vissl::Event, vissl::Run& run) { run.scale_hyper("lr", 1.0 / ++steps); }
};
VISSL_HOOK(Broken, "hook_forgets_on_resume", "Lowers the learning rate.")
VISSL_PLUGIN("org.example.hook_forgets_on_resume", "1.0.0")
