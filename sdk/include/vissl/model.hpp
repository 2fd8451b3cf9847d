#pragma once
// The run's model and its twins (momentum encoder, teacher). A twin is a second instance of trunk
// and heads in a second store; it lives until the run ends. [main]
//
//   TwinSpec spec;
//   spec.from = run.model();
//   spec.state_path = "loss.moco_encoder";
//   Model key = Model::create(spec);
//   key.ema_update(run.model(), 0.999);
//   Tensor keys = key.forward({images})[0];
#include <vissl/model.h>
#include <vissl/nn.hpp>
#include <vissl/value.hpp>

#include <optional>
#include <string>
#include <vector>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

namespace detail {

inline std::vector<vissl_str> strs(const std::vector<std::string>& texts) {
  std::vector<vissl_str> list;
  list.reserve(texts.size());
  for (const std::string& text : texts) list.push_back(str(text));
  return list;
}
inline std::vector<std::string> texts(const vissl_str* list, std::uint64_t count) {
  std::vector<std::string> out;
  out.reserve(static_cast<std::size_t>(count));
  for (std::uint64_t i = 0; i < count; ++i) out.emplace_back(view(list[i]));
  return out;
}
inline std::vector<Tensor> borrow_tensors(vissl_tensor* const* handles, std::uint64_t count) {
  std::vector<Tensor> list;
  list.reserve(static_cast<std::size_t>(count));
  for (std::uint64_t i = 0; i < count; ++i) list.push_back(Tensor::borrow(handles[i]));
  return list;
}
// Takes the handles that the host pushes.
class TensorCollector {
 public:
  TensorCollector() : sink_{sizeof(vissl_tensor_sink), this, &push} {}
  TensorCollector(const TensorCollector&) = delete;
  TensorCollector& operator=(const TensorCollector&) = delete;
  const vissl_tensor_sink* sink() const { return &sink_; }
  std::vector<Tensor> take() {
    if (lost_) throw std::bad_alloc();
    return std::move(tensors_);
  }

 private:
  static void push(void* self, vissl_tensor* owned) noexcept {
    Tensor tensor = Tensor::own(owned);
    try {
      static_cast<TensorCollector*>(self)->tensors_.push_back(std::move(tensor));
    } catch (const std::bad_alloc&) {
      static_cast<TensorCollector*>(self)->lost_ = true;
    }
  }
  vissl_tensor_sink sink_;
  std::vector<Tensor> tensors_;
  bool lost_ = false;
};

}  // namespace detail

enum class TwinBuffers : std::uint32_t {
  copy = VISSL_TWIN_BUFFERS_COPY,  // copied from the source at every update
  ema = VISSL_TWIN_BUFFERS_EMA,
  own = VISSL_TWIN_BUFFERS_OWN,  // updated by the twin's own forward passes
};

// Which ranks share the batch-norm statistics of a twin.
enum class TwinSync : std::uint32_t {
  none = VISSL_TWIN_SYNC_NONE,
  all = VISSL_TWIN_SYNC_ALL,        // whatever the run uses
  as_run = VISSL_TWIN_SYNC_AS_RUN,  // those of the run's model
};

// Mode of one forward pass.
enum class ForwardMode : std::uint32_t {
  by_default = VISSL_FORWARD_MODE_DEFAULT,  // a twin's own; Forward::training for the run's model
  eval = VISSL_FORWARD_MODE_EVAL,
  train = VISSL_FORWARD_MODE_TRAIN,
};

struct TwinSpec;

class Model {
 public:
  explicit Model(vissl_model* handle) : handle_(handle) {}
  static Model create(const TwinSpec& spec);
  vissl_model* handle() const noexcept { return handle_; }

  struct Forward {
    std::vector<std::string> features;  // trunk features to return; none = run the heads
    bool with_grad = false;
    bool training = false;  // twins use their own mode
    ForwardMode mode = ForwardMode::by_default;
    // With [[model.inputs]]: the batch field that each input stands for.
    std::vector<std::string> names;
    // Without: further inputs of the trunk, {"mask", …}.
    std::vector<std::pair<std::string, Tensor>> extras;
    bool from_features = false;                  // the inputs are features: only the heads run
    std::uint64_t head_begin = 0, head_end = 0;  // heads [begin, end) alone; 0 = to the last
  };
  // `inputs`: the batch, or one tensor per crop. Returns features in request order, or the outputs
  // of all heads.
  std::vector<Tensor> forward(const std::vector<Tensor>& inputs, const Forward& options) const {
    const std::vector<vissl_str> features = detail::strs(options.features);
    const std::vector<vissl_str> names = detail::strs(options.names);
    if (!names.empty() && names.size() != inputs.size())
      fail("a forward pass needs one name per input, or none");
    std::vector<vissl_str> extra_names;
    std::vector<vissl_tensor*> extras;
    for (const auto& [name, tensor] : options.extras) {
      extra_names.push_back(str(name));
      extras.push_back(tensor.handle());
    }
    const Tensors list(inputs);
    vissl_model_input input = {};
    input.size = sizeof input;
    input.tensors = list.handles();
    input.count = inputs.size();
    input.features = features.data();
    input.feature_count = features.size();
    input.with_grad = std::uint32_t{options.with_grad};
    input.training = std::uint32_t{options.training};
    input.names = names.empty() ? nullptr : names.data();
    input.extra_names = extra_names.data();
    input.extras = extras.data();
    input.extra_count = extras.size();
    input.mode = static_cast<std::uint32_t>(options.mode);
    input.from_features = std::uint32_t{options.from_features};
    input.head_begin = options.head_begin;
    input.head_end = options.head_end;
    detail::TensorCollector outputs;
    call(api().forward, handle_, &input, outputs.sink());
    return outputs.take();
  }
  std::vector<Tensor> forward(const std::vector<Tensor>& inputs) const {
    return forward(inputs, Forward());
  }
  // this = momentum * this + (1 - momentum) * source, parameter by parameter; buffers by the twin's
  // rule.
  void ema_update(const Model& source, double momentum) const {
    call(api().ema_update, handle_, source.handle_, momentum);
  }
  // Root scope: "trunk.…", "heads.0.…".
  nn::Scope store() const { return nn::Scope(api().store(handle_)); }

 private:
  static const vissl_model_api& api() { return service<vissl_model_api>(VISSL_MODEL_ID); }
  vissl_model* handle_;
};

struct TwinSpec {
  std::optional<Model> from;        // copies architecture and values
  std::optional<Config> config;     // or: a table like [model]; unlisted keys come from [model]
  std::optional<Config> overrides;  // a table merged over the architecture
  TwinBuffers buffers = TwinBuffers::copy;
  bool training = true;  // mode of its forward passes
  TwinSync sync_bn = TwinSync::none;
  std::string state_path;  // where checkpoints keep it: "loss.moco_encoder"; empty = not saved
};

inline Model Model::create(const TwinSpec& spec) {
  vissl_twin_spec raw = {};
  raw.size = sizeof raw;
  raw.from = spec.from ? spec.from->handle() : nullptr;
  raw.config = spec.config ? spec.config->handle() : nullptr;
  raw.overrides = spec.overrides ? spec.overrides->handle() : nullptr;
  raw.buffers = static_cast<std::uint32_t>(spec.buffers);
  raw.mode = spec.training ? VISSL_MODE_TRAIN : VISSL_MODE_EVAL;
  raw.sync_bn = static_cast<std::uint32_t>(spec.sync_bn);
  raw.saved = spec.state_path.empty() ? 0 : 1;
  raw.state_path = str(spec.state_path);
  vissl_model* out = nullptr;
  call(api().create, &raw, &out);
  return Model(out);
}

}  // namespace abi1
}  // namespace vissl
