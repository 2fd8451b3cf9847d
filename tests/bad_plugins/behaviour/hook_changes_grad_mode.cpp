// It turns grad mode off and does not turn it on again.
#include <vissl/hook.hpp>
#include <vissl/plugin.hpp>
struct Broken {
  static constexpr auto events = vissl::event_mask(vissl::Event::backward);
  void on_event(vissl::Event, vissl::Run&) const {
    vissl::service<vissl_tensor_api>(VISSL_TENSOR_ID).set_grad_enabled(0);
  }
};
VISSL_HOOK(Broken, "hook_changes_grad_mode", "Works without gradients.")
VISSL_PLUGIN("org.example.hook_changes_grad_mode", "1.0.0")
