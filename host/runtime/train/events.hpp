#pragma once
// Who acts between the parts of a step, in order: loss, optimizer, trunk, heads, then hooks of the
// config. [main]
#include <vissl/events.h>

#include <string>
#include <vector>

#include "host/boundary.hpp"

namespace vissl::host {

class Events {
 public:
  // Adds an instance if it offers vissl.events/1. `place` names it in errors: "hooks[1]
  // (tensorboard)".
  void add(Instance& instance, std::string place);
  // Calls every listener of `event` in order. Throws Error; VISSL_EVENT_EXCEPTION handlers never
  // throw.
  void fire(std::uint32_t event, vissl_run* run, Logger& log) const;

 private:
  struct Listener {
    const vissl_events_class* table;
    const Instance* instance;
    std::string place;
  };
  std::vector<Listener> listeners_;
};

}  // namespace vissl::host
