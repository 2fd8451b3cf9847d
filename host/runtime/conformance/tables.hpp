#pragma once
// The service tables of check-plugin: the runtime's own, with notes of what is called.
#include <vissl/run.h>
#include <vissl/tensor.h>

#include <set>
#include <string>

namespace vissl::host {

const vissl_tensor_api& probing_tensor_api();
// For probing_run(), a run without data, model or step: facts, counters and logs work, anything
// else fails and is noted. For other runs the runtime's own functions.
const vissl_run_api& probing_run_api();
// For methods that take a run.
vissl_run* probing_run();

// What was called since `notes().clear()`.
struct CallNotes {
  std::set<std::string> operators;  // "aten::add.Tensor"; of the whole process
  bool stops_gradient = false;      // no-grad mode or detach
  std::string missing;              // the first function of a run that is not there
  void clear() {
    stops_gradient = false;
    missing.clear();
  }
};
CallNotes& notes();

// Facts of a run of one process on images with three channels.
vissl_run_facts probing_facts();

}  // namespace vissl::host
