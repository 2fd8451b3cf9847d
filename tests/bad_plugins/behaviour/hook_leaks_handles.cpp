// It keeps a new handle of the outputs at each step and never gives one back.
#include <vissl/hook.hpp>
#include <vissl/plugin.hpp>
struct Broken {
  static constexpr auto events = vissl::event_mask(vissl::Event::forward);
  void on_event(vissl::Event, vissl::Run& run) const {
    static_cast<void>((run.output() * 2.0).release());
  }
};
VISSL_HOOK(Broken, "hook_leaks_handles", "Looks at the outputs.")
VISSL_PLUGIN("org.example.hook_leaks_handles", "1.0.0")
