// It fails at the end of a step.
#include <vissl/hook.hpp>
#include <vissl/plugin.hpp>
struct Broken {
  static constexpr auto events = vissl::event_mask(vissl::Event::step);
  void on_event(vissl::Event, vissl::Run&) const { vissl::fail("lost its way"); }
};
VISSL_HOOK(Broken, "hook_fails_in_step", "Fails.")
VISSL_PLUGIN("org.example.hook_fails_in_step", "1.0.0")
