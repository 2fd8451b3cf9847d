// It switches gradient recording off in an event and leaves it so.
#include "twin_loss.hpp"
struct Broken : Twin {
  void on_event(vissl::Event event, vissl::Run& run) {
    Twin::on_event(event, run);
    if (event == vissl::Event::backward) vissl::tensor_api().set_grad_enabled(0);
  }
};
TWIN_LOSS(Broken, "loss_changes_grad_mode", "Follows a teacher, and a fault.")
