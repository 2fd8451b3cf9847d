#pragma once
// A trunk, head or loss with its own store, and how to call it whatever its kind.
#include <ATen/ATen.h>
#include <vissl/state.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/boundary.hpp"
#include "host/plugin/conformance/judged.hpp"
#include "host/runtime/conformance/ledger.hpp"
#include "host/runtime/model/store.hpp"

namespace vissl::host {

// What a component is called with, and the config that suits it.
struct Case {
  const vissl_value* config = nullptr;
  std::vector<at::Tensor> inputs;  // of a head, a trunk, or the outputs that a loss judges
  at::Tensor target;               // of a loss; may be undefined
  at::ScalarType dtype = at::kDouble;
  std::string text;  // "(8, 16) float64"
};

// Values of store and state, to be put back or handed to another instance.
struct Snapshot {
  std::vector<at::Tensor> tensors;
  std::string state;
};

class Rig {
 public:
  // Creates and builds an instance; judges what goes wrong.
  Rig(Catalogue& catalogue, const ProbeRequest& request, const Case& use);

  // The outputs; judges returned handles that are none of the caller's. With `text`, an ordinary
  // failure goes there and gives no outputs; without it is a fault. torch's generator starts from
  // `seed`.
  std::vector<at::Tensor> call(const std::vector<at::Tensor>& inputs, const at::Tensor& target,
                               bool training, std::string* text = nullptr, int seed = 3);
  std::vector<at::Tensor> call(const Case& use, bool training) {
    return call(use.inputs, use.target, training);
  }

  Snapshot save() const;
  void load(const Snapshot& snapshot);
  const vissl_state_class* state() const;  // NULL = none
  void* instance() const { return instance_->self(); }
  Store& store() { return store_; }

 private:
  std::vector<vissl_tensor*> enter_forward(const std::vector<at::Tensor>& inputs,
                                           const at::Tensor& target, bool training, ErrorSink& sink,
                                           vissl_status& status);

  Store store_{1};
  std::unique_ptr<Instance> instance_;
};

// Inputs that the component takes. Judges "skipped" with its own text when none suits it.
Case find_case(Catalogue& catalogue, const ProbeRequest& request);

// Element i is sin(0.37 (i + 1) + phase): values without ties, for gradients and comparisons.
at::Tensor wave(at::IntArrayRef shape, double phase, at::ScalarType dtype);
// Empty when all pairs are equal in shape and bits; else what differs.
std::string difference(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b);
std::string shape_of(const at::Tensor& t);

}  // namespace vissl::host
