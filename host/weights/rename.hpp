#pragma once
// The tensors of a file under another system's names, as a weights profile gives them.
#include <vissl/weights.h>

#include <cstdint>
#include <string>
#include <vector>

#include "host/weights/container.hpp"
#include "host/weights/weights_plan.hpp"

namespace vissl::host {

struct RenameRequest {
  std::string to;        // a system that the profile knows
  std::string from;      // empty: found by the names
  std::string part;      // see place_of_part(); empty: what fits best
  int depth = 0;         // of a ResNet; 0 = any
  bool heads = false;    // the linear classifier too
  bool reverse = false;  // the first convolution's input channels
};

struct Renamed {
  Contents contents;
  std::vector<WeightsMessage> messages;
};

// Asks the profile. Throws Error(usage) when it knows no other names, refuses, or gives one name to
// two tensors, and what throw_no_tensor() throws; each begins with `name`, the file's. The tensors
// of `file` must outlive the result.
Renamed rename_weights(const WeightsFile& file, const RenameRequest& request, Container container,
                       const std::string& name, const vissl_weights_profile_class& profile,
                       void* instance);

// The same tensor with axis 1 in reverse, made when it is written.
TensorRef with_reversed_channels(const TensorRef& tensor);

}  // namespace vissl::host
