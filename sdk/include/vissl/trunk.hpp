#pragma once
// Kind trunk: images in, named features out.
//
//   struct Net {
//     explicit Net(const Config& c);
//     void build(const nn::Scope& s, const RunFacts& facts);
//     std::vector<std::string> features() const { return {"conv1", "res2", "res3"}; }   // in
//     network order, after build void forward(const TrunkCall& call, Features& out) {
//       Tensor x = out.put("conv1", stem_(call.image()));
//       if (out.complete()) return;                                      // nothing later is wanted
//       x = out.put("res2", layer1_(x, call.training()));
//     }
//     std::int64_t channels(std::string_view feature) const;              // optional: width, -1
//     unknown
//   };
//   VISSL_TRUNK(Net, "net", "A small network.")
//
// `put` keeps the tensor when the feature is wanted, and returns it. [main]
#include <vissl/trunk.h>
#include <vissl/build.hpp>
#include <vissl/events.hpp>

#include <algorithm>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

// The inputs of one forward pass.
class TrunkCall {
 public:
  explicit TrunkCall(const vissl_trunk_call* call) : call_(call) {}
  bool training() const { return call_->training != 0; }
  Tensor image() const { return input("image"); }  // (N, C, H, W)
  // Undefined when the batch has no such input.
  Tensor input(std::string_view name) const {
    for (std::uint64_t i = 0; i < call_->input_count; ++i) {
      if (view(call_->input_names[i]) == name) return Tensor::borrow(call_->inputs[i]);
    }
    return Tensor();
  }

 private:
  const vissl_trunk_call* call_;
};

// Collects the wanted features of one forward pass.
class Features {
 public:
  // `wanted`: names in request order, possibly repeated; none = the last of `known`.
  Features(const std::vector<std::string>& known, std::vector<std::string> wanted)
      : wanted_(std::move(wanted)) {
    if (wanted_.empty() && !known.empty()) wanted_.push_back(known.back());
    for (const std::string& name : wanted_) {
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      std::string text = "the trunk has no feature '" + name + "'; it has";
      for (const std::string& other : known)
        text += (&other == &known.front() ? " " : ", ") + other;
      fail(VISSL_E_CONFIG, text);
    }
    tensors_.resize(wanted_.size());
  }
  bool wants(std::string_view name) const {
    return std::find(wanted_.begin(), wanted_.end(), name) != wanted_.end();
  }
  const Tensor& put(std::string_view name, const Tensor& tensor) {
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      if (wanted_[i] != name) continue;
      found_ += tensors_[i].defined() ? 0 : 1;
      tensors_[i] = tensor;
    }
    return tensor;
  }
  Tensor put(std::string_view name, Tensor&& tensor) {
    put(name, static_cast<const Tensor&>(tensor));
    return std::move(tensor);
  }
  bool complete() const { return found_ == wanted_.size(); }
  std::vector<Tensor> take() {
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      if (!tensors_[i].defined())
        fail("the trunk did not compute its feature '" + wanted_[i] + "'");
    }
    return std::move(tensors_);
  }

 private:
  std::vector<std::string> wanted_;
  std::vector<Tensor> tensors_;
  std::size_t found_ = 0;
};

namespace detail {

template <class T, class = void>
struct HasChannels : std::false_type {};
template <class T>
struct HasChannels<T, std::void_t<decltype(std::declval<const T&>().channels(std::string_view()))>>
    : std::true_type {};

template <class T>
struct TrunkKind {
  // The names are asked for once, after build: the host borrows them.
  struct Instance : Holder<T> {
    using Holder<T>::Holder;
    std::vector<std::string> names;
  };
  static vissl_status build(void* instance, vissl_store* store, const vissl_run_facts* facts,
                            vissl_err* err) noexcept {
    return guarded(err, [&] {
      Instance& self = *static_cast<Instance*>(instance);
      build_into<T>(self, store, facts);
      self.names = self.features();
    });
  }
  static std::uint64_t feature_count(void* instance) noexcept {
    return static_cast<Instance*>(instance)->names.size();
  }
  static vissl_str feature_name(void* instance, std::uint64_t i) noexcept {
    const std::vector<std::string>& names = static_cast<Instance*>(instance)->names;
    return i < names.size() ? str(names[static_cast<std::size_t>(i)]) : vissl_str{nullptr, 0};
  }
  static vissl_status forward(void* instance, const vissl_trunk_call* call, vissl_tensor** features,
                              vissl_err* err) noexcept {
    return guarded(err, [&] {
      Instance& self = *static_cast<Instance*>(instance);
      Features out(self.names, texts(call->features, call->feature_count));
      self.forward(TrunkCall(call), out);
      std::vector<Tensor> tensors = out.take();
      for (std::size_t i = 0; i < tensors.size(); ++i) features[i] = tensors[i].release();
    });
  }
  static std::int64_t feature_channels(void* instance, vissl_str feature) noexcept {
    if constexpr (HasChannels<T>::value) {
      return static_cast<Instance*>(instance)->channels(view(feature));
    } else {
      static_cast<void>(instance), static_cast<void>(feature);
      return -1;
    }
  }
  static constexpr vissl_trunk_class kTable = {sizeof(vissl_trunk_class),
                                               &create<Instance>,
                                               &destroy<Instance>,
                                               &build,
                                               &feature_count,
                                               &feature_name,
                                               &forward,
                                               HasChannels<T>::value ? &feature_channels : nullptr};
};

}  // namespace detail
}  // namespace abi1
}  // namespace vissl

#define VISSL_TRUNK(Type, name, sentence)                                     \
  VISSL_COMPONENT(::vissl::detail::TrunkKind<Type>::Instance, VISSL_TRUNK_ID, \
                  ::vissl::detail::TrunkKind<Type>::kTable, "trunk/" name "/" sentence)
