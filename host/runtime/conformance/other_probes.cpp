// Meters and parameter groups.
#include <vissl/meter.h>
#include <vissl/optimizer.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "host/runtime/abi/handle.hpp"
#include "host/runtime/conformance/model_probes.hpp"
#include "host/runtime/conformance/rig.hpp"
#include "host/text_sink.hpp"

namespace vissl::host {
namespace {

constexpr Outcome kFail = Outcome::fail;

class Meter {
 public:
  Meter(Catalogue& catalogue, const ProbeRequest& request, const vissl_value* config)
      : instance_(enter("create", [&] { return catalogue.create(request.kind, config); })) {
    reset();
  }
  const vissl_meter_class& table() const { return instance_->as<vissl_meter_class>(); }
  void reset() {
    must("reset", [&](vissl_err* err) { return table().reset(instance_->self(), err); });
  }
  vissl_status update(const Case& use, ErrorSink& sink) {
    const std::vector<vissl_tensor*> handles = borrow_all(use.inputs);
    at::Tensor target = use.target;
    return status_of("update", sink, [&](vissl_err* err) {
      return table().update(instance_->self(), handles.data(), handles.size(), borrow(target), err);
    });
  }
  void update(const Case& use) {
    ErrorSink sink;
    if (update(use, sink) != VISSL_OK) judge_wrong("update fails: " + sink.text());
  }
  std::span<double> counters() {
    double* data = nullptr;
    std::uint64_t count = 0;
    must("counters",
         [&](vissl_err* err) { return table().counters(instance_->self(), &data, &count, err); });
    return {data, static_cast<std::size_t>(count)};
  }
  nlohmann::json value() {
    std::string text;
    const vissl_out out = text_sink(text);
    must("value", [&](vissl_err* err) { return table().value(instance_->self(), &out, err); });
    nlohmann::json value = nlohmann::json::parse(text, nullptr, false);
    if (!value.is_object()) judge_wrong("value is no JSON object: " + text);
    return value;
  }

 private:
  std::unique_ptr<Instance> instance_;
};

// Rows [from, to) of a case.
Case part(const Case& use, std::int64_t from, std::int64_t to) {
  Case out = use;
  for (at::Tensor& input : out.inputs) input = input.slice(0, from, to).contiguous();
  if (out.target.defined()) out.target = out.target.slice(0, from, to).contiguous();
  return out;
}

Case meter_case(Catalogue& catalogue, const ProbeRequest& request) {
  std::string first;
  const at::Tensor classes = at::arange(8, at::TensorOptions(at::kLong)).remainder(5);
  const at::Tensor several = wave({8, 12}, 0.3, at::kFloat).gt(0).to(at::kLong);
  for (const vissl_value* config : request.configs)
    for (const std::size_t outputs : {1, 2})
      for (const at::Tensor& target : {classes, several, at::Tensor()}) {
        Case use;
        use.config = config;
        use.target = target;
        for (std::size_t i = 0; i < outputs; ++i)
          use.inputs.push_back(wave({8, 12}, static_cast<double>(i), at::kFloat));
        Meter meter(catalogue, request, config);
        ErrorSink sink;
        if (meter.update(use, sink) == VISSL_OK) return use;
        if (first.empty()) first = sink.text();
      }
  judge_skipped("no outputs that the kit has suit it: " + first);
}

bool close(const nlohmann::json& a, const nlohmann::json& b) {
  if (a.is_number() && b.is_number()) {
    const double x = a.get<double>(), y = b.get<double>();
    return std::abs(x - y) <= 1e-6 * std::max(std::abs(x), std::abs(y)) + 1e-9;
  }
  if (a.type() != b.type() || a.size() != b.size()) return false;
  if (!a.is_structured()) return a == b;
  auto i = a.begin(), j = b.begin();
  for (; i != a.end(); ++i, ++j)
    if (!close(*i, *j)) return false;
  return true;
}

}  // namespace

Verdict probe_meter(Catalogue& catalogue, const ProbeRequest& request) {
  const Case use = meter_case(catalogue, request);
  Meter meter(catalogue, request, use.config), fresh(catalogue, request, use.config);
  meter.update(use);
  const nlohmann::json first = meter.value();
  if (meter.value() != first) return {kFail, "value differs when it is asked for again"};
  meter.update(part(use, 0, 3));
  meter.reset();
  if (meter.value() != fresh.value())
    return {kFail, "a meter that was reset differs from a fresh one; forget all in reset"};
  meter.update(use);
  if (meter.value() != first)
    return {kFail, "the same phase has another value after a reset; forget all in reset"};
  const std::int64_t owned = Ledger::current()->owned();
  for (int i = 0; i < 3; ++i) {
    meter.update(use);
    meter.reset();
  }
  if (Ledger::current()->owned() > owned) return {kFail, "leaks handles in each phase"};
  if (const std::string fault = Ledger::current()->take_fault(); !fault.empty())
    return {kFail, "update " + fault};
  return {};
}

Verdict probe_meter_split(Catalogue& catalogue, const ProbeRequest& request) {
  const Case use = meter_case(catalogue, request);
  const auto make = [&] { return Meter(catalogue, request, use.config); };
  Meter whole = make(), parts = make(), rank = make();
  whole.update(use);
  parts.update(part(use, 0, 3));
  parts.update(part(use, 3, 8));
  if (!close(whole.value(), parts.value()))
    return {kFail,
            "the value depends on how the samples are cut into batches: " + whole.value().dump() +
                " of one batch, " + parts.value().dump() + " of two; weigh by samples"};
  // The host sums the counters of the ranks.
  Meter first = make();
  first.update(part(use, 0, 3));
  rank.update(part(use, 3, 8));
  const std::span<double> mine = first.counters(), theirs = rank.counters();
  if (mine.size() != theirs.size()) return {kFail, "two ranks have different numbers of counters"};
  if (mine.empty()) return {Outcome::ok, "it has no counters to sum over ranks"};
  for (std::size_t i = 0; i < mine.size(); ++i) mine[i] += theirs[i];
  if (!close(whole.value(), first.value()))
    return {kFail, "the summed counters of two ranks give " + first.value().dump() +
                       ", all samples on one rank " + whole.value().dump() +
                       "; compute value from the counters alone"};
  return {};
}

Verdict probe_groups(Catalogue& catalogue, const ProbeRequest& request) {
  const std::vector<std::string> names = {"trunk.conv1.weight", "trunk.bn1.weight",
                                          "trunk.bn1.bias", "heads.0.clf.weight",
                                          "heads.0.clf.bias"};
  std::vector<at::Tensor> tensors;
  std::vector<vissl_param_info> infos;
  for (std::size_t i = 0; i < names.size(); ++i) tensors.push_back(at::ones({2, 2}));
  for (std::size_t i = 0; i < names.size(); ++i)
    infos.push_back({sizeof(vissl_param_info),
                     {names[i].data(), names[i].size()},
                     borrow(tensors[i]),
                     names[i].ends_with("bias") ? VISSL_ROLE_BIAS : VISSL_ROLE_WEIGHT,
                     i == 0                                     ? VISSL_MODULE_CONV
                     : names[i].find("bn") != std::string::npos ? VISSL_MODULE_BATCH_NORM
                                                                : VISSL_MODULE_LINEAR,
                     i == 0 ? VISSL_TAG_FIRST_CONV : 0u,
                     static_cast<std::int32_t>(i),
                     1});
  struct Groups {
    std::vector<std::string> names;
    std::vector<std::int64_t> of;
    std::string fault;
  };
  const auto assign = [&] {
    const std::unique_ptr<Instance> instance =
        enter("create", [&] { return catalogue.create(request.kind, request.configs.front()); });
    Groups groups;
    groups.of.assign(names.size(), -1);
    vissl_group_sink sink{};
    sink.size = sizeof sink;
    sink.self = &groups;
    sink.add = [](void* self, vissl_str name) {
      auto& to = *static_cast<Groups*>(self);
      to.names.push_back(text(name));
      return std::uint64_t{to.names.size() - 1};
    };
    sink.constant = [](void* self, std::uint64_t group, vissl_str, double) {
      auto& to = *static_cast<Groups*>(self);
      if (group >= to.names.size()) to.fault = "sets a value of a group that it did not add";
    };
    sink.schedule = [](void* self, std::uint64_t group, vissl_str, vissl_str, double) {
      auto& to = *static_cast<Groups*>(self);
      if (group >= to.names.size()) to.fault = "sets a schedule of a group that it did not add";
    };
    sink.assign = [](void* self, std::uint64_t param, std::uint64_t group) {
      auto& to = *static_cast<Groups*>(self);
      if (param >= to.of.size() || group >= to.names.size())
        to.fault = "puts a parameter into a group, one of which does not exist";
      else
        to.of[param] = static_cast<std::int64_t>(group);
    };
    must("assign", [&](vissl_err* err) {
      return instance->as<vissl_param_groups_class>().assign(
          instance->self(), infos.data(), infos.size(), request.configs.front(), &sink, err);
    });
    if (!groups.fault.empty()) judge_wrong("assign " + groups.fault);
    return groups;
  };
  const Groups first = assign(), second = assign();
  if (first.of != second.of || first.names != second.names)
    return {kFail, "groups the same parameters differently the second time"};
  std::string untrained;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (first.of[i] < 0) untrained = names[i];
  if (!untrained.empty())
    return {Outcome::warn, "leaves '" + untrained + "' without a group, so it is not trained"};
  return {Outcome::ok, std::to_string(first.names.size()) + " groups"};
}

}  // namespace vissl::host
