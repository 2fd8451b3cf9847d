#pragma once
// A small run around a hook, an engine or a loss: its components (kStandIn…), which are the host's
// own so that a fault is the judged component's, and its data.
//   data      256 samples to train, 128 to test, of 8 classes; images (3, 8, 8)
//   trunk     "conv" (N, 8, 4, 4), "flat" (N, 8); a running mean as its buffer
//   head      one linear layer to (N, 8)
//   loss      cross entropy
//   optimizer p -= lr g
//   hooks     _before and _after the judged one: they watch it; or _steps, which counts handles
#include <vissl/run.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "host/boundary.hpp"
#include "host/runtime/conformance/shared_state.hpp"

namespace vissl::host {

// What the two hooks around the judged one see.
struct RunWatch {
  SharedState before;               // of the event
  std::string change;               // the first one, with the event's name; empty = none
  std::vector<std::int64_t> owned;  // handles that plugins own, at the end of each train step
  std::int64_t fail_at = -1;        // train steps after which the loss raises an error
  std::int64_t events = 0;          // that reached the judged hook's place, and a loss's forwards
};
RunWatch& run_watch();
// In the forward of the run's loss: raises the error that RunWatch::fail_at asks for.
void end_run_if_asked(vissl_run* run);
// "FORWARD".
const char* event_name(std::uint32_t event);

// Makes stand-ins, and everything else with the catalogue behind it.
class StandInCatalogue final : public Catalogue {
 public:
  // `kind`: of the judged component.
  StandInCatalogue(Catalogue& real, std::string kind) : real_(real), kind_(std::move(kind)) {}
  std::unique_ptr<Instance> create(std::string_view kind, const vissl_value* config) override;
  // The judged component, which its run owns (a loss: watched); NULL before it is made.
  Instance* judged() const { return judged_; }
  void set_values(const vissl_value_api* values) { values_ = values; }

 private:
  Catalogue& real_;
  std::string kind_;
  const vissl_value_api* values_ = nullptr;
  Instance* judged_ = nullptr;
};

std::unique_ptr<DataEngine> stand_in_data();

}  // namespace vissl::host
