// Gradients against finite differences, and parameters that the store does not know.
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/accumulate_grad.h>

#include <set>

#include "host/runtime/conformance/model_probes.hpp"
#include "host/runtime/conformance/rig.hpp"
#include "host/runtime/conformance/tables.hpp"

namespace vissl::host {
namespace {

constexpr Outcome kFail = Outcome::fail;

// One number of all outputs, with weights that hide no part of them. Undefined without gradient.
at::Tensor joined(const std::vector<at::Tensor>& outputs) {
  at::Tensor sum;
  for (const at::Tensor& output : outputs) {
    if (!output.is_floating_point()) continue;
    const at::Tensor part = (output * wave(output.sizes(), 2.0, output.scalar_type())).sum();
    sum = sum.defined() ? sum + part : part;
  }
  return sum;
}

// The component with its inputs and parameters as one point that can be moved.
class Slope {
 public:
  Slope(Rig& rig, const Case& use, bool training)
      : rig_(rig), use_(use), training_(training), start_(rig.save()) {
    for (const at::Tensor& input : use.inputs) inputs_.push_back(input.detach().clone());
    for (Entry* entry : rig.store().parameters())
      if (entry->trainable()) parameters_.push_back(entry);
  }

  // Derivative along the directions, by autograd; NULL when the outputs have no gradient.
  std::optional<double> analytic(bool along_inputs) {
    rig_.load(start_);
    std::vector<at::Tensor> points, leaves;
    for (const at::Tensor& input : inputs_)
      points.push_back(input.detach().clone().requires_grad_(along_inputs));
    if (along_inputs) {
      leaves = points;
    } else {
      for (Entry* entry : parameters_) leaves.push_back(entry->tensor);
    }
    const at::Tensor sum = joined(rig_.call(points, use_.target, training_));
    if (!sum.defined() || !sum.requires_grad() || leaves.empty()) return std::nullopt;
    const auto gradients = torch::autograd::grad({sum}, leaves, {}, std::nullopt, false, true);
    double total = 0.0;
    for (std::size_t i = 0; i < leaves.size(); ++i)
      if (gradients[i].defined())
        total += (gradients[i] * direction(leaves[i].sizes(), i)).sum().item<double>();
    return total;
  }

  // The same by central differences with step `h`.
  double numeric(bool along_inputs, double h) {
    return (value(along_inputs, h) - value(along_inputs, -h)) / (2 * h);
  }

 private:
  static at::Tensor direction(at::IntArrayRef shape, std::size_t i) {
    return wave(shape, 4.0 + static_cast<double>(i), at::kDouble);
  }
  double value(bool along_inputs, double step) {
    at::NoGradGuard no_grad;
    rig_.load(start_);
    std::vector<at::Tensor> points = inputs_;
    if (along_inputs) {
      for (std::size_t i = 0; i < points.size(); ++i)
        points[i] = points[i] + step * direction(points[i].sizes(), i);
    } else {
      for (std::size_t i = 0; i < parameters_.size(); ++i)
        parameters_[i]->tensor.add_(direction(parameters_[i]->tensor.sizes(), i), step);
    }
    return joined(rig_.call(points, use_.target, training_)).item<double>();
  }

  Rig& rig_;
  const Case& use_;
  bool training_;
  Snapshot start_;
  std::vector<at::Tensor> inputs_;
  std::vector<Entry*> parameters_;
};

bool close(double a, double b) {
  return std::abs(a - b) <= 1e-4 * std::max(std::abs(a), std::abs(b)) + 1e-7;
}

std::string number(double x) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.6g", x);
  return digits;
}

// Kinks such as ReLU's may lie within one step; no step hides a wrong sign.
bool agrees(Slope& slope, double analytic, bool along_inputs, std::string& fault) {
  for (const double h : {1e-6, 1e-7, 1e-5, 1e-4}) {
    const double numeric = slope.numeric(along_inputs, h);
    if (close(analytic, numeric)) return true;
    if (fault.empty())
      fault = number(analytic) + " by backward and " + number(numeric) + " by finite differences";
  }
  return false;
}

}  // namespace

Verdict probe_gradient(Catalogue& catalogue, const ProbeRequest& request) {
  const Case use = find_case(catalogue, request);
  if (use.dtype != at::kDouble)
    return {Outcome::skipped, "it does not work in float64, in which differences are exact enough"};
  Rig rig(catalogue, request, use);
  notes().clear();
  std::string seen;
  for (const bool along_inputs : {true, false}) {
    const char* what = along_inputs ? "inputs" : "parameters";
    std::string fault;
    bool right = false;
    // Batch norm over a few values is too steep for differences: evaluation mode counts as well.
    for (const bool training : {true, false}) {
      Slope slope(rig, use, training);
      const std::optional<double> analytic = slope.analytic(along_inputs);
      if (!analytic) continue;
      right = right || agrees(slope, *analytic, along_inputs, fault);
      if (right) break;
    }
    if (right) seen += std::string(seen.empty() ? "" : " and ") + what;
    if (right || fault.empty()) continue;
    if (notes().stops_gradient)
      return {Outcome::skipped,
              "it stops gradients inside forward, so they need not equal finite "
              "differences"};
    return {kFail, "the derivative along its " + std::string(what) + " is " + fault +
                       "; correct the backward pass"};
  }
  if (seen.empty()) return {Outcome::ok, "its outputs have no gradient"};
  return {Outcome::ok, "the gradient of " + seen + " equals finite differences"};
}

Verdict probe_own_parameters(Catalogue& catalogue, const ProbeRequest& request) {
  const Case use = find_case(catalogue, request);
  Rig rig(catalogue, request, use);
  std::set<const c10::TensorImpl*> known;
  for (const auto& entry : rig.store().entries()) known.insert(entry->tensor.unsafeGetTensorImpl());
  std::vector<torch::autograd::Node*> open;
  std::set<torch::autograd::Node*> seen;
  const auto outputs = rig.call(use, true);
  for (const at::Tensor& output : outputs) {
    if (output.requires_grad() && output.is_leaf() && !known.contains(output.unsafeGetTensorImpl()))
      return {kFail, "returns a parameter that is not in the store"};
    if (output.grad_fn()) open.push_back(output.grad_fn().get());
  }
  while (!open.empty()) {
    torch::autograd::Node* node = open.back();
    open.pop_back();
    if (!seen.insert(node).second) continue;
    if (const auto* leaf = dynamic_cast<torch::autograd::AccumulateGrad*>(node))
      if (!known.contains(leaf->variable.unsafeGetTensorImpl()))
        return {kFail,
                "learns a tensor of shape " + shape_of(leaf->variable) +
                    " that is not in the store, so it is not trained, moved or saved; create "
                    "it in build"};
    for (const torch::autograd::Edge& edge : node->next_edges())
      if (edge.function) open.push_back(edge.function.get());
  }
  return {};
}

}  // namespace vissl::host
