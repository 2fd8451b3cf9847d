#pragma once
// Test support: a trunk, two heads and a catalogue of them, in terms of their class tables.
//   trunk "convolution"  channels, features conv (N, C, H, W), pooled (N, C, 1, 1), flatten (N, C)
//   head  "linear"       in_channels, width: x -> x.flatten(1) W^T + b
//   head  "twice"        gives x and 2 x
//   head  "silent"       gives nothing
//   head  "mode"         gives x and switches grad mode
#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "host/runtime/abi/guard.hpp"
#include "host/runtime/abi/test_call.hpp"
#include "host/runtime/model/models.hpp"
#include "host/runtime/test_config.hpp"

namespace vissl::host::test {

// What the trunk saw, in order.
struct TrunkCall {
  std::vector<int64_t> shape;
  bool training;
  std::vector<std::string> inputs;
};
inline std::vector<TrunkCall>& trunk_calls() {
  static std::vector<TrunkCall> calls;
  return calls;
}

inline vissl_store_spec uniform(std::string_view name, std::vector<int64_t> shape) {
  vissl_store_spec spec{};
  spec.size = sizeof(spec);
  spec.name = str(name);
  spec.dtype = VISSL_F32;
  spec.ndim = static_cast<uint32_t>(shape.size());
  std::copy(shape.begin(), shape.end(), spec.shape);
  spec.init = VISSL_INIT_UNIFORM;
  spec.a = -0.5;
  spec.b = 0.5;
  spec.depth = -1;
  return spec;
}

struct Convolution {
  int64_t channels;
  vissl_tensor *weight = nullptr, *mean = nullptr;

  static constexpr const char* kFeatures[] = {"conv", "pooled", "flatten"};

  static vissl_status create(const vissl_value* config, void** instance, vissl_err*) {
    *instance = new Convolution{json_of(config)["channels"].get<int64_t>()};
    return VISSL_OK;
  }
  static void destroy(void* self) { delete static_cast<Convolution*>(self); }
  static vissl_status build(void* instance, vissl_store* store, const vissl_run_facts* facts,
                            vissl_err* err) {
    auto& self = *static_cast<Convolution*>(instance);
    const auto weight = uniform("weight", {self.channels, facts->input_channels, 1, 1});
    auto mean = uniform("mean", {self.channels});
    mean.init = VISSL_INIT_ZEROS;
    const vissl_status status = store_api().param(store, &weight, &self.weight, err);
    return status != VISSL_OK ? status : store_api().buffer(store, &mean, &self.mean, err);
  }
  static vissl_status forward(void* instance, const vissl_trunk_call* call, vissl_tensor** out,
                              vissl_err* err) {
    return guarded(err, [&] {
      auto& self = *static_cast<Convolution*>(instance);
      const at::Tensor x = unwrap(call->inputs[0]);
      TrunkCall seen{x.sizes().vec(), call->training != 0, {}};
      for (uint64_t i = 0; i < call->input_count; ++i)
        seen.inputs.push_back(text(call->input_names[i]));
      trunk_calls().push_back(seen);
      const at::Tensor conv = at::conv2d(x, unwrap(self.weight));
      const at::Tensor pooled = conv.mean(at::IntArrayRef{2, 3}, true);
      if (call->training != 0)
        unwrap(self.mean).add_(pooled.detach().mean(at::IntArrayRef{0, 2, 3}));
      auto feature = [&](std::string_view name) {
        if (name == "conv") return conv;
        if (name == "pooled") return pooled;
        if (name == "flatten") return pooled.flatten(1);
        throw Error(Exit::usage,
                    "unknown feature '" + std::string(name) + "'; known: conv, pooled, flatten");
      };
      if (call->feature_count == 0) out[0] = wrap(feature("flatten"));
      for (uint64_t i = 0; i < call->feature_count; ++i)
        out[i] = wrap(feature(view(call->features[i])));
    });
  }
  static int64_t feature_channels(void* self, vissl_str) {
    return static_cast<Convolution*>(self)->channels;
  }
  static constexpr vissl_trunk_class kTable = {
      sizeof(vissl_trunk_class),
      create,
      destroy,
      build,
      [](void*) -> uint64_t { return 3; },
      [](void*, uint64_t i) -> vissl_str { return str(kFeatures[i]); },
      forward,
      feature_channels};
};

struct Linear {
  int64_t in, width;
  vissl_tensor *weight = nullptr, *bias = nullptr;

  static vissl_status create(const vissl_value* config, void** instance, vissl_err*) {
    const Json& j = json_of(config);
    *instance = new Linear{j["in_channels"].get<int64_t>(), j["width"].get<int64_t>()};
    return VISSL_OK;
  }
  static void destroy(void* self) { delete static_cast<Linear*>(self); }
  static vissl_status build(void* instance, vissl_store* store, const vissl_run_facts*,
                            vissl_err* err) {
    auto& self = *static_cast<Linear*>(instance);
    const auto weight = uniform("clf.0.weight", {self.width, self.in});
    const auto bias = uniform("clf.0.bias", {self.width});
    const vissl_status status = store_api().param(store, &weight, &self.weight, err);
    return status != VISSL_OK ? status : store_api().param(store, &bias, &self.bias, err);
  }
  static vissl_status forward(void* instance, vissl_tensor* const* inputs, uint64_t, uint32_t,
                              const vissl_tensor_sink* sink, vissl_err* err) {
    return guarded(err, [&] {
      auto& self = *static_cast<Linear*>(instance);
      sink->push(sink->self, wrap(at::linear(unwrap(inputs[0]).flatten(1), unwrap(self.weight),
                                             unwrap(self.bias))));
    });
  }
  static constexpr vissl_head_class kTable = {
      sizeof(vissl_head_class), create, destroy, build, forward, [](void* self) -> int64_t {
        return static_cast<Linear*>(self)->in;
      }};
};

// x, 2 x, … as often as `copies` says.
template <int copies, bool switches_grad_mode = false>
struct Copies {
  static vissl_status create(const vissl_value*, void** instance, vissl_err*) {
    *instance = new Copies;
    return VISSL_OK;
  }
  static void destroy(void* self) { delete static_cast<Copies*>(self); }
  static vissl_status build(void*, vissl_store*, const vissl_run_facts*, vissl_err*) {
    return VISSL_OK;
  }
  static vissl_status forward(void*, vissl_tensor* const* inputs, uint64_t, uint32_t,
                              const vissl_tensor_sink* sink, vissl_err*) {
    for (int i = 1; i <= copies; ++i) sink->push(sink->self, wrap(unwrap(inputs[0]) * i));
    if (switches_grad_mode) at::GradMode::set_enabled(!at::GradMode::is_enabled());
    return VISSL_OK;
  }
  static constexpr vissl_head_class kTable = {
      sizeof(vissl_head_class), create, destroy, build, forward, nullptr};
};

class TestInstance : public Instance {
 public:
  TestInstance(std::string kind, std::string name, const void* table, void* self,
               void (*destroy)(void*))
      : kind_(std::move(kind)),
        name_(std::move(name)),
        table_(table),
        self_(self),
        destroy_(destroy) {}
  ~TestInstance() override { destroy_(self_); }
  const void* table() const override { return table_; }
  void* self() const override { return self_; }
  const void* extension(std::string_view) const override { return nullptr; }
  const std::string& kind() const override { return kind_; }
  const std::string& name() const override { return name_; }
  const std::string& plugin_id() const override { return kind_; }
  const std::string& plugin_version() const override { return kind_; }

 private:
  std::string kind_, name_;
  const void* table_;
  void* self_;
  void (*destroy_)(void*);
};

class TestCatalogue : public Catalogue {
 public:
  std::unique_ptr<Instance> create(std::string_view kind, const vissl_value* config) override {
    const std::string name = json_of(config)["name"].get<std::string>();
    if (kind == "trunk" && name == "convolution") return make<Convolution>(kind, name, config);
    if (kind == "head" && name == "linear") return make<Linear>(kind, name, config);
    if (kind == "head" && name == "twice") return make<Copies<2>>(kind, name, config);
    if (kind == "head" && name == "silent") return make<Copies<0>>(kind, name, config);
    if (kind == "head" && name == "mode") return make<Copies<1, true>>(kind, name, config);
    throw Error(Exit::usage, "there is no " + std::string(kind) + " '" + name + "'");
  }

 private:
  template <class Component>
  static std::unique_ptr<Instance> make(std::string_view kind, const std::string& name,
                                        const vissl_value* config) {
    void* self = nullptr;
    Component::kTable.create(config, &self, nullptr);
    return std::make_unique<TestInstance>(std::string(kind), name, &Component::kTable, self,
                                          Component::kTable.destroy);
  }
};

inline vissl_run_facts test_facts(uint64_t seed = 0) {
  vissl_run_facts facts{};
  facts.size = sizeof(facts);
  facts.seed = seed;
  facts.world = 1;
  facts.input_channels = 3;
  return facts;
}

}  // namespace vissl::host::test
