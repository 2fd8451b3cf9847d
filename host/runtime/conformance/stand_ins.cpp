#include "host/runtime/conformance/stand_ins.hpp"

#include <ATen/ATen.h>
#include <vissl/events.h>
#include <vissl/head.h>
#include <vissl/hook.h>
#include <vissl/loss.h>
#include <vissl/optimizer.h>
#include <vissl/trunk.h>

#include "host/runtime/abi/guard.hpp"
#include "host/runtime/abi/handle.hpp"
#include "host/runtime/abi/tables.hpp"
#include "host/runtime/conformance/ledger.hpp"
#include "host/runtime/conformance/watched_loss.hpp"
#include "host/runtime/setting.hpp"

namespace vissl::host {
namespace {

constexpr std::int64_t kWidth = 8;

// Tensors of the store that a stand-in uses; the optimizer and the hooks use none. Stand-ins are
// made by their catalogue, so their tables have no create and no destroy.
struct Parts {
  vissl_tensor *weight = nullptr, *bias = nullptr, *mean = nullptr;
};
Parts& parts(void* instance) {
  return *static_cast<Parts*>(instance);
}
vissl_store_spec spec_of(std::string_view name, std::vector<std::int64_t> shape,
                         std::uint32_t module, double spread) {
  vissl_store_spec spec{};
  spec.size = sizeof spec;
  spec.name = str(name);
  spec.dtype = VISSL_F32;
  spec.ndim = static_cast<std::uint32_t>(shape.size());
  std::copy(shape.begin(), shape.end(), spec.shape);
  spec.init = spread == 0.0 ? VISSL_INIT_ZEROS : VISSL_INIT_NORMAL;
  spec.role = name == "bias" ? VISSL_ROLE_BIAS : VISSL_ROLE_WEIGHT;
  spec.module = module;
  spec.b = spread;
  spec.depth = -1;
  return spec;
}

vissl_counters counters_of(vissl_run* run) {
  vissl_counters now{};
  now.size = sizeof now;
  run_api().counters(run, &now);
  return now;
}

// --- trunk
constexpr std::string_view kFeatures[] = {"conv", "flat"};

vissl_status build_trunk(void* self, vissl_store* store, const vissl_run_facts* facts,
                         vissl_err* err) {
  const auto weight =
      spec_of("weight", {kWidth, facts->input_channels, 3, 3}, VISSL_MODULE_CONV, 0.2);
  const auto mean = spec_of("running_mean", {kWidth}, VISSL_MODULE_OTHER, 0.0);
  const vissl_status status = store_api().param(store, &weight, &parts(self).weight, err);
  return status != VISSL_OK ? status : store_api().buffer(store, &mean, &parts(self).mean, err);
}
vissl_status forward_trunk(void* self, const vissl_trunk_call* call, vissl_tensor** out,
                           vissl_err* err) {
  return guarded(err, [&] {
    const at::Tensor maps =
        at::conv2d(unwrap(call->inputs[0]), unwrap(parts(self).weight), {}, 2, 1).relu();
    const at::Tensor flat = maps.mean(at::IntArrayRef{2, 3});
    if (call->training != 0) unwrap(parts(self).mean).lerp_(flat.detach().mean(0), 0.1);
    const auto feature = [&](std::string_view name) {
      if (name == "conv") return maps;
      if (name == "flat") return flat;
      throw Error(Exit::usage, "the trunk of check-plugin's run has no feature '" +
                                   std::string(name) + "'; it has conv and flat");
    };
    if (call->feature_count == 0) out[0] = wrap(flat);
    for (std::uint64_t i = 0; i < call->feature_count; ++i)
      out[i] = wrap(feature(view(call->features[i])));
  });
}
constexpr vissl_trunk_class kTrunk = {sizeof(vissl_trunk_class),
                                      nullptr,
                                      nullptr,
                                      build_trunk,
                                      [](void*) -> std::uint64_t { return std::size(kFeatures); },
                                      [](void*, std::uint64_t i) { return str(kFeatures[i]); },
                                      forward_trunk,
                                      [](void*, vissl_str) { return kWidth; }};

// --- head
vissl_status build_head(void* self, vissl_store* store, const vissl_run_facts*, vissl_err* err) {
  const auto weight = spec_of("weight", {kWidth, kWidth}, VISSL_MODULE_LINEAR, 0.3);
  const auto bias = spec_of("bias", {kWidth}, VISSL_MODULE_LINEAR, 0.0);
  const vissl_status status = store_api().param(store, &weight, &parts(self).weight, err);
  return status != VISSL_OK ? status : store_api().param(store, &bias, &parts(self).bias, err);
}
vissl_status forward_head(void* self, vissl_tensor* const* inputs, std::uint64_t, std::uint32_t,
                          const vissl_tensor_sink* out, vissl_err* err) {
  return guarded(err, [&] {
    out->push(out->self, wrap(at::linear(unwrap(inputs[0]).flatten(1), unwrap(parts(self).weight),
                                         unwrap(parts(self).bias))));
  });
}
constexpr vissl_head_class kHead = {
    sizeof(vissl_head_class),    nullptr, nullptr, build_head, forward_head,
    [](void*) { return kWidth; }};

// --- loss
vissl_status forward_loss(void*, vissl_run* run, vissl_tensor* const* outputs, std::uint64_t,
                          vissl_tensor* target, vissl_tensor** loss, vissl_err* err) {
  return guarded(err, [&] {
    end_run_if_asked(run);
    *loss = wrap(at::cross_entropy_loss(unwrap(outputs[0]), unwrap(target)));
  });
}
constexpr vissl_loss_class kLoss = {sizeof(vissl_loss_class),
                                    nullptr,
                                    nullptr,
                                    [](void*, vissl_store*, const vissl_run_facts*,
                                       vissl_err*) -> vissl_status { return VISSL_OK; },
                                    forward_loss,
                                    VISSL_REDUCTION_MEAN_OVER_WORLD};

// --- optimizer and its groups
vissl_status step(void*, const vissl_opt_call* call, vissl_err* err) {
  return guarded(err, [&] {
    for (std::uint64_t g = 0; g < call->group_count; ++g)
      for (std::uint64_t i = 0; i < call->groups[g].param_count; ++i) {
        const vissl_opt_param& param = call->groups[g].params[i];
        unwrap(param.param).add_(unwrap(param.grad), -call->groups[g].hyper[0]);
      }
  });
}
constexpr vissl_optimizer_class kOptimizer = {sizeof(vissl_optimizer_class),
                                              nullptr,
                                              nullptr,
                                              [](void*) -> std::uint64_t { return 1; },
                                              [](void*, std::uint64_t) { return str("lr"); },
                                              [](void*, std::uint64_t) { return 0.1; },
                                              step,
                                              nullptr};
constexpr vissl_param_groups_class kGroups = {
    sizeof(vissl_param_groups_class), nullptr, nullptr,
    [](void*, const vissl_param_info*, std::uint64_t count, const vissl_value*,
       const vissl_group_sink* sink, vissl_err*) -> vissl_status {
      const std::uint64_t group = sink->add(sink->self, str("all"));
      for (std::uint64_t i = 0; i < count; ++i) sink->assign(sink->self, i, group);
      return VISSL_OK;
    }};

// --- the hooks around the judged one
constexpr vissl_hook_class kHook = {sizeof(vissl_hook_class), nullptr, nullptr};
constexpr std::uint64_t kAllEvents = (std::uint64_t{1} << VISSL_EVENT_COUNT) - 1;
constexpr const char* kNames[VISSL_EVENT_COUNT] = {
    "START", "PHASE_START", "FORWARD", "LOSS_AND_METER", "BACKWARD", "UPDATE",
    "STEP",  "PHASE_END",   "END",     "EXCEPTION"};

vissl_status see_before(void*, std::uint32_t, vissl_run*, vissl_err*) {
  run_watch().before = SharedState();
  ++run_watch().events;
  return VISSL_OK;
}
void count_handles(std::uint32_t event, vissl_run* run) {
  if (event == VISSL_EVENT_STEP && counters_of(run).training != 0 && Ledger::current() != nullptr)
    run_watch().owned.push_back(Ledger::current()->owned());
}
vissl_status see_after(void*, std::uint32_t event, vissl_run* run, vissl_err* err) {
  return guarded(err, [&] {
    RunWatch& watch = run_watch();
    if (const std::string change = watch.before.change_to(SharedState());
        !change.empty() && watch.change.empty())
      watch.change = change + " in the event " + event_name(event);
    count_handles(event, run);
  });
}
vissl_status see_step(void*, std::uint32_t event, vissl_run* run, vissl_err* err) {
  return guarded(err, [&] { count_handles(event, run); });
}
constexpr vissl_events_class kBefore = {sizeof(vissl_events_class), kAllEvents, see_before};
constexpr vissl_events_class kAfter = {sizeof(vissl_events_class), kAllEvents, see_after};
constexpr vissl_events_class kSteps = {sizeof(vissl_events_class),
                                       std::uint64_t{1} << VISSL_EVENT_STEP, see_step};

class StandIn final : public Instance {
 public:
  StandIn(std::string_view kind, std::string name, const void* table,
          const vissl_events_class* events)
      : kind_(kind), name_(std::move(name)), table_(table), events_(events) {}
  const void* table() const override { return table_; }
  void* self() const override { return &parts_; }
  const void* extension(std::string_view id) const override {
    return id == VISSL_EVENTS_ID ? events_ : nullptr;
  }
  const std::string& kind() const override { return kind_; }
  const std::string& name() const override { return name_; }
  const std::string& plugin_id() const override { return id_; }
  const std::string& plugin_version() const override { return id_; }

 private:
  std::string kind_, name_, id_ = "host";
  const void* table_;
  const vissl_events_class* events_;
  mutable Parts parts_;
};

const void* table_of(std::string_view kind) {
  if (kind == "trunk") return &kTrunk;
  if (kind == "head") return &kHead;
  if (kind == "loss") return &kLoss;
  if (kind == "optimizer") return &kOptimizer;
  if (kind == "param_groups") return &kGroups;
  if (kind == "hook") return &kHook;
  throw Error(Exit::run_failed, "check-plugin has no stand-in of kind " + std::string(kind));
}

}  // namespace

RunWatch& run_watch() {
  static RunWatch watch;
  return watch;
}

void end_run_if_asked(vissl_run* run) {
  const vissl_counters now = counters_of(run);
  if (now.training != 0 && now.iteration == run_watch().fail_at)
    throw Error(Exit::run_failed, "check-plugin ends this run");
}

const char* event_name(std::uint32_t event) {
  return event < VISSL_EVENT_COUNT ? kNames[event] : "unknown";
}

std::unique_ptr<Instance> StandInCatalogue::create(std::string_view kind,
                                                   const vissl_value* config) {
  std::string name = Setting(values_, config).string("name");
  if (!name.starts_with(kStandIn)) {
    std::unique_ptr<Instance> real = real_.create(kind, config);
    if (kind != kind_ || judged_ != nullptr) return real;
    if (kind == "loss") real = watch_loss(std::move(real));
    judged_ = real.get();
    return real;
  }
  const vissl_events_class* events = nullptr;
  if (kind == "hook")
    events = name.ends_with("_before") ? &kBefore : name.ends_with("_after") ? &kAfter : &kSteps;
  return std::make_unique<StandIn>(kind, std::move(name), table_of(kind), events);
}

}  // namespace vissl::host
