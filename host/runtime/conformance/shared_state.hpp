#pragma once
// The state of libtorch that all components of a thread share.
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <c10/core/DefaultDtype.h>
#include <c10/core/InferenceMode.h>

#include <string>

namespace vissl::host {

// As it is when the object is made.
struct SharedState {
  bool grad = at::GradMode::is_enabled();
  bool inference = c10::InferenceMode::is_enabled();
  bool autocast = at::autocast::is_autocast_enabled(at::kCPU);
  int threads = at::get_num_threads();
  bool deterministic = at::globalContext().deterministicAlgorithms();
  caffe2::TypeMeta dtype = c10::get_default_dtype();

  // "leaves grad mode off"; empty = nothing changed.
  std::string change_to(const SharedState& now) const {
    if (now.grad != grad) return "leaves grad mode " + std::string(now.grad ? "on" : "off");
    if (now.inference != inference) return "leaves inference mode changed";
    if (now.autocast != autocast)
      return "leaves autocast " + std::string(now.autocast ? "on" : "off");
    if (now.threads != threads)
      return "sets the number of threads from " + std::to_string(threads) + " to " +
             std::to_string(now.threads);
    if (now.deterministic != deterministic) return "changes the choice of deterministic algorithms";
    if (now.dtype != dtype) return "changes the default type of new tensors";
    return "";
  }
};

}  // namespace vissl::host
