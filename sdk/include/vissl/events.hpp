#pragma once
// Acting between the parts of a step. A component of any kind adds
//
//   static constexpr auto events = event_mask(Event::backward, Event::update);
//   void on_event(Event event, Run& run);
//
// Order at each event: loss, optimizer, trunk, heads, host, then the config's hooks. [main]
#include <vissl/events.h>
#include <vissl/extensions.hpp>
#include <vissl/run.hpp>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

enum class Event : std::uint32_t {
  start = VISSL_EVENT_START,  // model, optimizer and checkpoint are ready
  phase_start = VISSL_EVENT_PHASE_START,
  forward = VISSL_EVENT_FORWARD,  // after the model's forward, before the loss
  loss_and_meter = VISSL_EVENT_LOSS_AND_METER,
  backward = VISSL_EVENT_BACKWARD,  // gradients are complete, reduced and unscaled
  update = VISSL_EVENT_UPDATE,      // after the optimizer's step
  step = VISSL_EVENT_STEP,          // counters have advanced
  phase_end = VISSL_EVENT_PHASE_END,
  end = VISSL_EVENT_END,
  exception = VISSL_EVENT_EXCEPTION,  // the run is failing; errors of this handler are only logged
};

template <class... Events>
constexpr std::uint64_t event_mask(Events... events) {
  return (std::uint64_t{0} | ... | (std::uint64_t{1} << static_cast<std::uint32_t>(events)));
}

namespace detail {

template <class T>
struct EventsExtension {
  static constexpr std::string_view kId = VISSL_EVENTS_ID;
  static vissl_status on_event(void* instance, std::uint32_t event, vissl_run* handle,
                               vissl_err* err) noexcept {
    return guarded(err, [&] {
      Run run(handle);
      static_cast<T*>(instance)->on_event(static_cast<Event>(event), run);
    });
  }
  static constexpr vissl_events_class kTable = {sizeof(vissl_events_class),
                                                std::uint64_t{T::events}, &on_event};
};

}  // namespace detail
}  // namespace abi1
}  // namespace vissl
