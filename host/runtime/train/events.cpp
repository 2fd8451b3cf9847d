#include "host/runtime/train/events.hpp"

namespace vissl::host {

void Events::add(Instance& instance, std::string place) {
  const auto* table = static_cast<const vissl_events_class*>(instance.extension(VISSL_EVENTS_ID));
  if (table != nullptr) listeners_.push_back({table, instance.self(), std::move(place)});
}

void Events::fire(std::uint32_t event, vissl_run* run, Logger& log) const {
  for (const Listener& listener : listeners_) {
    if ((listener.table->mask >> event & 1) == 0) continue;
    ErrorSink sink;
    const vissl_status status = listener.table->on_event(listener.self, event, run, sink.get());
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
