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
  };
  // `inputs`: the batch, or one tensor per crop. Returns features in request order, or the outputs
  // of all heads.
  std::vector<Tensor> forward(const std::vector<Tensor>& inputs, const Forward& options) const {
    const std::vector<vissl_str> features = detail::strs(options.features);
    const Tensors list(inputs);
    const vissl_model_input input = {sizeof(vissl_model_input),
                                     list.handles(),
                                     inputs.size(),
                                     features.data(),
                                     features.size(),
                                     std::uint32_t{options.with_grad},
                                     std::uint32_t{options.training}};
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
  bool training = true;    // mode of its forward passes
  bool sync_bn = false;    // global synchronised batch norm whatever the run uses
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
  raw.sync_bn = spec.sync_bn ? 1 : 0;
  raw.saved = spec.state_path.empty() ? 0 : 1;
  raw.state_path = str(spec.state_path);
  vissl_model* out = nullptr;
  call(api().create, &raw, &out);
  return Model(out);
}

}  // namespace abi1
}  // namespace vissl
