#include "host/runtime/conformance/watched_loss.hpp"

#include <vissl/events.h>
#include <vissl/loss.h>

#include <utility>

#include "host/plugin/conformance/judged.hpp"
#include "host/runtime/abi/guard.hpp"
#include "host/runtime/conformance/stand_ins.hpp"

namespace vissl::host {
namespace {

// The component's own tables. Its methods get its own `self`, so the watch finds them here.
struct Own {
  const vissl_loss_class* loss = nullptr;
  const vissl_events_class* events = nullptr;
};
Own& own() {
  static Own tables;
  return tables;
}

// Calls a method and notes what it leaves changed.
template <class Body>
vissl_status watched(const std::string& place, Body&& body) {
  RunWatch& watch = run_watch();
  ++watch.events;
  const SharedState before;
  const vissl_status status = enter(place, body);
  if (const std::string change = before.change_to(SharedState());
      !change.empty() && watch.change.empty())
    watch.change = change + " in " + place;
  return status;
}

vissl_status forward(void* self, vissl_run* run, vissl_tensor* const* outputs,
                     std::uint64_t output_count, vissl_tensor* target, vissl_tensor** loss,
                     vissl_err* err) {
  const vissl_status ended = guarded(err, [&] { end_run_if_asked(run); });
  if (ended != VISSL_OK) return ended;
  return watched("forward", [&] {
    return own().loss->forward(self, run, outputs, output_count, target, loss, err);
  });
}

vissl_status on_event(void* self, std::uint32_t event, vissl_run* run, vissl_err* err) {
  return watched(std::string("the event ") + event_name(event),
                 [&] { return own().events->on_event(self, event, run, err); });
}

class WatchedLoss final : public Instance {
 public:
  explicit WatchedLoss(std::unique_ptr<Instance> real)
      : real_(std::move(real)), loss_(real_->as<vissl_loss_class>()) {
    own() = {&real_->as<vissl_loss_class>(),
             static_cast<const vissl_events_class*>(real_->extension(VISSL_EVENTS_ID))};
    loss_.size = sizeof loss_;
    loss_.forward = &forward;
    if (own().events != nullptr) events_.mask = own().events->mask;
  }
  const void* table() const override { return &loss_; }
  void* self() const override { return real_->self(); }
  const void* extension(std::string_view id) const override {
    const void* const found = real_->extension(id);
    return found != nullptr && id == VISSL_EVENTS_ID ? &events_ : found;
  }
  const std::string& kind() const override { return real_->kind(); }
  const std::string& name() const override { return real_->name(); }
  const std::string& plugin_id() const override { return real_->plugin_id(); }
  const std::string& plugin_version() const override { return real_->plugin_version(); }

 private:
  std::unique_ptr<Instance> real_;
  vissl_loss_class loss_;
  vissl_events_class events_ = {sizeof(vissl_events_class), 0, &on_event};
};

}  // namespace

std::unique_ptr<Instance> watch_loss(std::unique_ptr<Instance> real) {
  return std::make_unique<WatchedLoss>(std::move(real));
}

}  // namespace vissl::host
