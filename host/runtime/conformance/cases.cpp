// Finds inputs that a component takes: declarations do not say shapes, so several are tried.
#include <vissl/head.h>

#include <map>

#include "host/runtime/conformance/rig.hpp"
#include "host/runtime/conformance/tables.hpp"

namespace vissl::host {
namespace {

using Shape = std::vector<std::int64_t>;

void add(std::vector<Case>& cases, const vissl_value* config, const std::vector<Shape>& shapes,
         at::Tensor target = {}) {
  for (const at::ScalarType dtype : {at::kDouble, at::kFloat}) {
    Case one;
    one.config = config;
    one.dtype = dtype;
    one.target = target.defined() && target.is_floating_point() ? target.to(dtype) : target;
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      one.inputs.push_back(wave(shapes[i], 0.5 * static_cast<double>(i), dtype));
      one.text += (i == 0 ? "" : ", ") + shape_of(one.inputs.back());
    }
    one.text += std::string(" ") + c10::toString(dtype);
    cases.push_back(std::move(one));
  }
}

// The integers of a config are the widths that it was made with.
std::vector<std::int64_t> head_widths(Catalogue& catalogue, const vissl_value* config) {
  const std::unique_ptr<Instance> head =
      enter("create", [&] { return catalogue.create("head", config); });
  const auto& table = head->as<vissl_head_class>();
  const std::int64_t wanted =
      table.in_channels != nullptr
          ? enter("in_channels", [&] { return table.in_channels(head->self()); })
          : -1;
  if (wanted > 0) return {wanted};
  return {8, 2, 32, 1, 3, 16, 64, 128, 512, 2048};
}

std::vector<Case> cases_of(Catalogue& catalogue, const ProbeRequest& request) {
  std::vector<Case> cases;
  const at::TensorOptions whole(at::kLong);
  const at::Tensor classes = at::arange(8, whole).remainder(4);
  for (const vissl_value* config : request.configs) {
    if (request.kind == "trunk") {
      for (const std::int64_t side : {32, 64, 224}) add(cases, config, {{2, 3, side, side}});
      add(cases, config, {{2, 1, 32, 32}});
    } else if (request.kind == "head") {
      for (const std::int64_t width : head_widths(catalogue, config)) {
        add(cases, config, {{4, width}});
        add(cases, config, {{4, width, 2, 2}});
        add(cases, config, {{4, width, 1, 1}});
        add(cases, config, {{4, 5, width}});
      }
    } else {
      add(cases, config, {{8, 6}}, classes);
      add(cases, config, {{8, 6}}, wave({8, 6}, 0.3, at::kDouble).gt(0).to(at::kDouble));
      add(cases, config, {{8, 6}});
      add(cases, config, {{8, 6}, {8, 6}}, classes);
      add(cases, config, {{8, 6}, {8, 5}}, classes);
      add(cases, config, {{8, 8}}, classes);
      add(cases, config, {{8, 32}}, classes);
    }
  }
  return cases;
}

}  // namespace

Case find_case(Catalogue& catalogue, const ProbeRequest& request) {
  // Finding it takes longer than most probes; configs live as long as the process.
  static std::map<std::string, Case> found;
  const std::string component = request.kind + "/" + request.name;
  if (const auto known = found.find(component); known != found.end()) return known->second;
  std::string first;
  for (Case& use : cases_of(catalogue, request)) {
    notes().clear();
    Rig rig(catalogue, request, use);
    at::NoGradGuard no_grad;
    std::string text;
    rig.call(use.inputs, use.target, true, &text);
    if (text.empty()) return found[component] = use;
    if (!notes().missing.empty())
      judge_skipped("its forward needs " + notes().missing + " of a run: " + text);
    if (first.empty()) first = text;
  }
  judge_skipped("no input that the kit has suits it: " + first);
}

}  // namespace vissl::host
