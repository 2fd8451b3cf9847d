#pragma once
// Layers over the host's store. A layer is a small struct of handles: `build` through its
// constructor with a Scope, then call it. Initial values are torch's, drawn in torch's order: a
// trunk that creates its layers in the order of its torch model starts from the same weights, bit
// for bit.
//
//   struct Stem {
//     nn::Conv2d conv;
//     nn::BatchNorm2d norm;
//     explicit Stem(const nn::Scope& s) : conv(s / "conv1", 3, 64, nn::Conv2d::square(7, 2, 3)),
//     norm(s / "bn1", 64) {}
//
// Layers keep their handles for the model's life; moves and loads go through the same tensors.
// [main]
#include <vissl/store.h>
#include <vissl/tensor.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

inline const vissl_store_api& store_api() {
  return service<vissl_store_api>(VISSL_STORE_ID);
}

namespace nn {

struct Init {
  std::uint32_t kind = VISSL_INIT_ZEROS;
  double a = 0.0, b = 0.0;

  static Init zeros() { return {VISSL_INIT_ZEROS, 0, 0}; }
  static Init ones() { return {VISSL_INIT_ONES, 0, 0}; }
  static Init constant(double value) { return {VISSL_INIT_CONSTANT, value, 0}; }
  static Init uniform(double low, double high) { return {VISSL_INIT_UNIFORM, low, high}; }
  static Init normal(double mean, double std) { return {VISSL_INIT_NORMAL, mean, std}; }
  // Truncated normal around 0, cut at the absolute value `cut`.
  static Init trunc_normal(double std, double cut = 2.0) {
    return {VISSL_INIT_TRUNC_NORMAL, std, cut};
  }
  static Init orthogonal(double gain = 1.0) { return {VISSL_INIT_ORTHOGONAL, gain, 0}; }
  // torch's kaiming_uniform_(a = sqrt(5)) of Linear and Conv weights, in the same double
  // arithmetic.
  static Init kaiming_uniform(std::int64_t fan_in) {
    const double slope = std::sqrt(5.0);
    const double gain = std::sqrt(2.0 / (1.0 + slope * slope));
    const double bound = std::sqrt(3.0) * (gain / std::sqrt(static_cast<double>(fan_in)));
    return uniform(-bound, bound);
  }
  static Init bias_uniform(std::int64_t fan_in) {
    const double bound = 1.0 / std::sqrt(static_cast<double>(fan_in));
    return uniform(-bound, bound);
  }
  // Kaiming normal, fan_out, ReLU: N(0, sqrt(2 / fan_out)).
  static Init kaiming_normal_fan_out(std::int64_t fan_out) {
    return normal(0.0, std::sqrt(2.0) / std::sqrt(static_cast<double>(fan_out)));
  }
};

// What the host should know of a parameter beside its value.
struct Tag {
  std::uint32_t role = VISSL_ROLE_OTHER;
  std::uint32_t module = VISSL_MODULE_OTHER;
  std::uint32_t flags = 0;  // VISSL_TAG_…
  std::uint32_t pos_prefix = 0, pos_grid_h = 0, pos_grid_w = 0;
};

struct Stored;

// A place in the store: "trunk" / "layer1" / "0". Cheap to copy; valid during build.
class Scope {
 public:
  explicit Scope(vissl_store* store) : store_(store) {}
  Scope operator/(std::string_view name) const {
    Scope inner(store_api().child(store_, str(name)));
    inner.depth_ = depth_;
    inner.flags_ = flags_;
    return inner;
  }
  Scope operator/(std::int64_t i) const { return *this / std::to_string(i); }
  // Layer number for layer-wise decay, given to everything created below.
  Scope at_depth(int depth) const {
    Scope out = *this;
    out.depth_ = depth;
    return out;
  }
  // Adds VISSL_TAG_… to everything created below.
  Scope tagged(std::uint32_t flags) const {
    Scope out = *this;
    out.flags_ |= flags;
    return out;
  }

  Tensor param(std::string_view name, Ints shape, Init init, Tag tag = {},
               Dtype dtype = Dtype::f32) const {
    vissl_store_spec spec = make(name, shape, init, tag, dtype);
    vissl_tensor* out = nullptr;
    call(store_api().param, store_, &spec, &out);
    return Tensor::borrow(out);
  }
  // `life`: VISSL_BUFFER_…
  Tensor buffer(std::string_view name, Ints shape, Init init, Dtype dtype = Dtype::f32,
                std::uint32_t life = VISSL_BUFFER_REPLICATED) const {
    vissl_store_spec spec = make(name, shape, init, {}, dtype);
    spec.buffer = life;
    vissl_tensor* out = nullptr;
    call(store_api().buffer, store_, &spec, &out);
    return Tensor::borrow(out);
  }
  Tensor find(std::string_view name) const {
    return Tensor::borrow(store_api().find(store_, str(name)));
  }
  // All parameters and buffers of the scope, in the order of their creation. Also after build.
  std::vector<Stored> entries() const;
  void scale(std::string_view name, double factor) const {
    call(store_api().scale, store_, str(name), factor);
  }
  // Draws what an initialiser would draw, and drops it.
  void discard(Ints shape, Init init, Dtype dtype = Dtype::f32) const {
    vissl_store_spec spec = make({}, shape, init, {}, dtype);
    call(store_api().discard, store_, &spec);
  }
  vissl_store* handle() const noexcept { return store_; }

 private:
  vissl_store_spec make(std::string_view name, const Ints& shape, Init init, Tag tag,
                        Dtype dtype) const {
    if (shape.size() > 8) fail("'" + std::string(name) + "' has more than 8 dimensions");
    vissl_store_spec spec{};
    spec.size = sizeof spec;
    spec.name = str(name);
    spec.dtype = static_cast<vissl_dtype>(dtype);
    spec.ndim = static_cast<std::uint32_t>(shape.size());
    for (std::size_t i = 0; i < shape.size(); ++i) spec.shape[i] = shape.data()[i];
    spec.init = init.kind;
    spec.a = init.a;
    spec.b = init.b;
    spec.role = tag.role;
    spec.module = tag.module;
    spec.tags = tag.flags | flags_;
    spec.depth = depth_;
    spec.pos_prefix = tag.pos_prefix;
    spec.pos_grid_h = tag.pos_grid_h;
    spec.pos_grid_w = tag.pos_grid_w;
    return spec;
  }
  vissl_store* store_;
  int depth_ = -1;
  std::uint32_t flags_ = 0;
};

// A parameter or buffer of a store.
struct Stored {
  std::string name;  // within the scope
  Tensor tensor;
  bool parameter, trainable;
  std::uint32_t role, module, tags;  // VISSL_ROLE_…, VISSL_MODULE_…, VISSL_TAG_…
  std::int32_t depth;
  std::uint32_t life;  // VISSL_BUFFER_… of a buffer
};

inline std::vector<Stored> Scope::entries() const {
  std::vector<Stored> list;
  const std::uint64_t count = store_api().entry_count(store_);
  for (std::uint64_t i = 0; i < count; ++i) {
    vissl_store_entry raw = {};
    raw.size = sizeof raw;
    call(store_api().entry, store_, i, &raw);
    list.push_back({std::string(view(raw.name)), Tensor::borrow(raw.tensor), raw.parameter != 0,
                    raw.trainable != 0, raw.role, raw.module, raw.tags, raw.depth, raw.buffer});
  }
  return list;
}

// Creates everything inside under the model's init seed + offset, and leaves the generator as it
// was.
class SeededBlock {
 public:
  SeededBlock(const Scope& scope, std::uint64_t offset) : store_(scope.handle()) {
    call(store_api().seed_push, store_, offset);
  }
  SeededBlock(const SeededBlock&) = delete;
  SeededBlock& operator=(const SeededBlock&) = delete;
  ~SeededBlock() { store_api().seed_pop(store_, nullptr); }

 private:
  vissl_store* store_;
};

// y = x W^T + b; x (…, in) -> (…, out). Names: weight (out, in), bias (out).
struct Linear {
  Tensor weight, bias;

  Linear() = default;
  Linear(const Scope& s, std::int64_t in, std::int64_t out, bool with_bias = true)
      : Linear(s, in, out, with_bias, Init::kaiming_uniform(in), Init::bias_uniform(in)) {}
  Linear(const Scope& s, std::int64_t in, std::int64_t out, bool with_bias, Init weight_init,
         Init bias_init) {
    weight = s.param("weight", {out, in}, weight_init, {VISSL_ROLE_WEIGHT, VISSL_MODULE_LINEAR});
    if (with_bias) bias = s.param("bias", {out}, bias_init, {VISSL_ROLE_BIAS, VISSL_MODULE_LINEAR});
  }
  Tensor operator()(const Tensor& x) const { return linear(x, weight, bias); }
};

// x (N, in, H, W) -> (N, out, H', W'). Names: weight (out, in / groups, k, k), bias (out).
struct Conv2d {
  struct Options {
    std::int64_t kernel = 1;
    std::int64_t stride = 1;
    std::int64_t padding = 0;
    std::int64_t groups = 1;
    bool bias = true;
  };
  static Options square(std::int64_t kernel, std::int64_t stride = 1, std::int64_t padding = 0,
                        bool bias = true, std::int64_t groups = 1) {
    return {kernel, stride, padding, groups, bias};
  }
  Tensor weight, bias;
  Options options;

  Conv2d() = default;
  Conv2d(const Scope& s, std::int64_t in, std::int64_t out, Options o)
      : Conv2d(s, in, out, o, Init::kaiming_uniform(in / o.groups * o.kernel * o.kernel)) {}
  Conv2d(const Scope& s, std::int64_t in, std::int64_t out, Options o, Init weight_init)
      : options(o) {
    weight = s.param("weight", {out, in / o.groups, o.kernel, o.kernel}, weight_init,
                     {VISSL_ROLE_WEIGHT, VISSL_MODULE_CONV});
    if (o.bias) {
      bias = s.param("bias", {out}, Init::bias_uniform(in / o.groups * o.kernel * o.kernel),
                     {VISSL_ROLE_BIAS, VISSL_MODULE_CONV});
    }
  }
  Tensor operator()(const Tensor& x) const {
    return conv2d(x, weight, bias, options.stride, options.padding, 1, options.groups);
  }
};

// Batch norm over dimension 1 of (N, C) or (N, C, …). Names: weight, bias, running_mean,
// running_var, num_batches_tracked. The host computes it, so that synchronised statistics and
// recomputation need nothing here.
struct BatchNorm {
  Tensor weight, bias, running_mean, running_var, num_batches_tracked;
  double eps = 1e-5, momentum = 0.1;

  BatchNorm() = default;
  BatchNorm(const Scope& s, std::int64_t channels, double eps_ = 1e-5, double momentum_ = 0.1)
      : eps(eps_), momentum(momentum_) {
    weight =
        s.param("weight", {channels}, Init::ones(), {VISSL_ROLE_WEIGHT, VISSL_MODULE_BATCH_NORM});
    bias = s.param("bias", {channels}, Init::zeros(), {VISSL_ROLE_BIAS, VISSL_MODULE_BATCH_NORM});
    running_mean = s.buffer("running_mean", {channels}, Init::zeros());
    running_var = s.buffer("running_var", {channels}, Init::ones());
    num_batches_tracked = s.buffer("num_batches_tracked", {}, Init::zeros(), Dtype::i64);
  }
  Tensor operator()(const Tensor& x, bool training) const {
    vissl_tensor* out = nullptr;
    call(tensor_api().batch_norm, x.handle(), weight.handle(), bias.handle(), running_mean.handle(),
         running_var.handle(), num_batches_tracked.handle(), std::int32_t{training}, momentum, eps,
         &out);
    return Tensor::own(out);
  }
};
using BatchNorm1d = BatchNorm;
using BatchNorm2d = BatchNorm;

// Over the last dimension of `width`. Names: weight, bias.
struct LayerNorm {
  Tensor weight, bias;
  std::int64_t width = 0;
  double eps = 1e-5;

  LayerNorm() = default;
  LayerNorm(const Scope& s, std::int64_t width_, double eps_ = 1e-5) : width(width_), eps(eps_) {
    weight = s.param("weight", {width}, Init::ones(), {VISSL_ROLE_WEIGHT, VISSL_MODULE_LAYER_NORM});
    bias = s.param("bias", {width}, Init::zeros(), {VISSL_ROLE_BIAS, VISSL_MODULE_LAYER_NORM});
  }
  Tensor operator()(const Tensor& x) const { return layer_norm(x, width, weight, bias, eps); }
};

// (N, C, …) in `groups` groups of channels. Names: weight, bias.
struct GroupNorm {
  Tensor weight, bias;
  std::int64_t groups = 1;
  double eps = 1e-5;

  GroupNorm() = default;
  GroupNorm(const Scope& s, std::int64_t groups_, std::int64_t channels, double eps_ = 1e-5)
      : groups(groups_), eps(eps_) {
    if (channels % groups != 0) {
      fail(VISSL_E_CONFIG, "group norm: " + std::to_string(channels) +
                               " channels do not divide into " + std::to_string(groups) +
                               " groups");
    }
    weight =
        s.param("weight", {channels}, Init::ones(), {VISSL_ROLE_WEIGHT, VISSL_MODULE_GROUP_NORM});
    bias = s.param("bias", {channels}, Init::zeros(), {VISSL_ROLE_BIAS, VISSL_MODULE_GROUP_NORM});
  }
  Tensor operator()(const Tensor& x) const { return group_norm(x, groups, weight, bias, eps); }
};

// Indices (…) i64 -> (…, width). Names: weight (count, width).
struct Embedding {
  Tensor weight;

  Embedding() = default;
  Embedding(const Scope& s, std::int64_t count, std::int64_t width)
      : weight(s.param("weight", {count, width}, Init::normal(0, 1),
                       {VISSL_ROLE_WEIGHT, VISSL_MODULE_EMBEDDING})) {}
  Tensor operator()(const Tensor& indices) const { return embedding(weight, indices); }
};

// Zeroes elements with probability p and scales the rest by 1 / (1 - p); identity outside training.
struct Dropout {
  double p = 0.5;
  Tensor operator()(const Tensor& x, bool training) const {
    return p > 0.0 ? dropout(x, p, training) : x;
  }
};

// Stochastic depth (arXiv:1603.09382): drops whole samples of a residual branch, x (N, …): x *
// floor(keep + U) / keep.
struct DropPath {
  double p = 0.0;
  Tensor operator()(const Tensor& x, bool training) const {
    if (p <= 0.0 || !training) return x;
    const double keep = 1.0 - p;
    std::vector<std::int64_t> shape(static_cast<std::size_t>(x.dim()), 1);
    shape[0] = x.size(0);
    const Tensor mask = (rand(shape, Generator(), Options(x.dtype(), x.device())) + keep).floor();
    return x / keep * mask;
  }
};

// Multi-head self-attention of ViT: x (N, T, D) -> (N, T, D). Names: qkv.weight[, qkv.bias],
// proj.weight, proj.bias.
struct Attention {
  Linear qkv, proj;
  std::int64_t heads = 1;
  double scale = 1.0;
  Dropout attention_dropout{0.0}, projection_dropout{0.0};

  Attention() = default;
  // `scale_` 0 = head_dim^-0.5. `linear_init` for both weights, biases zero.
  Attention(const Scope& s, std::int64_t width, std::int64_t heads_, bool qkv_bias, double scale_,
            Init linear_init)
      : qkv(s / "qkv", width, 3 * width, qkv_bias, linear_init, Init::zeros()),
        proj(s / "proj", width, width, true, linear_init, Init::zeros()),
        heads(heads_) {
    if (width % heads != 0) {
      fail(VISSL_E_CONFIG, "attention: width " + std::to_string(width) + " does not divide into " +
                               std::to_string(heads) + " heads");
    }
    scale = scale_ > 0.0 ? scale_ : 1.0 / std::sqrt(static_cast<double>(width / heads));
  }
  Tensor operator()(const Tensor& x, bool training) const {
    const std::int64_t n = x.size(0), t = x.size(1), d = x.size(2);
    const Tensor packed = qkv(x)
                              .reshape({n, t, 3, heads, d / heads})
                              .permute({2, 0, 3, 1, 4});  // (3, N, heads, T, d)
    const Tensor q = packed.select(0, 0), k = packed.select(0, 1), v = packed.select(0, 2);
    const Tensor weights =
        attention_dropout(softmax(matmul(q, k.transpose(-2, -1)) * scale, -1), training);
    const Tensor mixed = matmul(weights, v).transpose(1, 2).reshape({n, t, d});
    return projection_dropout(proj(mixed), training);
  }
};

}  // namespace nn
}  // namespace abi1
}  // namespace vissl
