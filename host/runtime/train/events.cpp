#include "host/runtime/train/events.hpp"

#include "host/runtime/abi/context.hpp"

namespace vissl::host {

namespace {

constexpr const char* kEventNames[VISSL_EVENT_COUNT] = {
    "on_event(START)",    "on_event(PHASE_START)", "on_event(FORWARD)", "on_event(LOSS_AND_METER)",
    "on_event(BACKWARD)", "on_event(UPDATE)",      "on_event(STEP)",    "on_event(PHASE_END)",
    "on_event(END)",      "on_event(EXCEPTION)"};

}  // namespace

void Events::add(Instance& instance, std::string place) {
  const auto* table = static_cast<const vissl_events_class*>(instance.extension(VISSL_EVENTS_ID));
  if (table != nullptr) listeners_.push_back({table, &instance, std::move(place)});
}

void Events::fire(std::uint32_t event, vissl_run* run, Logger& log) const {
  for (const Listener& listener : listeners_) {
    if ((listener.table->mask >> event & 1) == 0) continue;
    const InPlugin place = entering(*listener.instance, kEventNames[event]);
    ErrorSink sink;
    const vissl_status status =
        listener.table->on_event(listener.instance->self(), event, run, sink.get());
    if (status == VISSL_OK) continue;
    if (event == VISSL_EVENT_EXCEPTION) {
      log.log(LogLevel::warning,
              listener.place + " failed while the run was ending: " + sink.text());
    } else {
      sink.check(status, listener.place);
    }
  }
}

}  // namespace vissl::host
