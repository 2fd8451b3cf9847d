#pragma once
// Kind head: features in, one or more outputs out.
//
//   struct LinearHead {
//     std::int64_t in, out;
//     nn::Linear clf;
//     explicit LinearHead(const Config& c);
//     void build(const nn::Scope& s) { clf = nn::Linear(s / "clf" / 0, in, out); }
//     Tensor forward(const Tensor& x, bool training) const { return clf(x); }
//     std::int64_t in_channels() const { return in; }      // optional: lets the host check the
//     shapes before the run
//   };
//   VISSL_HEAD(LinearHead, "linear", "One linear layer.")
//
// `forward` may leave out `training`, may take const std::vector<Tensor>& for several inputs, and
// may return a vector. [main]
#include <vissl/head.h>
#include <vissl/build.hpp>
#include <vissl/events.hpp>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {
namespace detail {

template <class T, class = void>
struct HasInChannels : std::false_type {};
template <class T>
struct HasInChannels<T, std::void_t<decltype(std::declval<const T&>().in_channels())>>
    : std::true_type {};

inline void push_all(const vissl_tensor_sink* sink, Tensor output) {
  sink->push(sink->self, output.release());
}
inline void push_all(const vissl_tensor_sink* sink, std::vector<Tensor> outputs) {
  for (Tensor& output : outputs) sink->push(sink->self, output.release());
}

template <class T>
struct HeadKind {
  using One = const Tensor&;
  using Many = const std::vector<Tensor>&;
  static auto run(T& head, Many inputs, bool training) {
    if constexpr (HasForward<T, void(Many, bool)>::value) {
      return head.forward(inputs, training);
    } else if constexpr (HasForward<T, void(Many)>::value) {
      return head.forward(inputs);
    } else {
      if (inputs.size() != 1) {
        fail(VISSL_E_CONFIG,
             "the head takes one feature, but it is given " + std::to_string(inputs.size()));
      }
      if constexpr (HasForward<T, void(One, bool)>::value) {
        return head.forward(inputs[0], training);
      } else {
        static_assert(HasForward<T, void(One)>::value,
                      "a head needs forward(input or inputs[, bool training])");
        return head.forward(inputs[0]);
      }
    }
  }
  static vissl_status forward(void* instance, vissl_tensor* const* inputs,
                              std::uint64_t input_count, std::uint32_t training,
                              const vissl_tensor_sink* outputs, vissl_err* err) noexcept {
    return guarded(err, [&] {
      push_all(outputs,
               run(*static_cast<T*>(instance), borrow_tensors(inputs, input_count), training != 0));
    });
  }
  static std::int64_t in_channels(void* instance) noexcept {
    if constexpr (HasInChannels<T>::value) {
      return static_cast<const T*>(instance)->in_channels();
    } else {
      static_cast<void>(instance);
      return -1;
    }
  }
  static constexpr vissl_head_class kTable = {sizeof(vissl_head_class),
                                              &create<T>,
                                              &destroy<T>,
                                              &build<T>,
                                              &forward,
                                              HasInChannels<T>::value ? &in_channels : nullptr};
};

}  // namespace detail
}  // namespace abi1
}  // namespace vissl

#define VISSL_HEAD(Type, name, sentence)                                        \
  VISSL_COMPONENT(Type, VISSL_HEAD_ID, ::vissl::detail::HeadKind<Type>::kTable, \
                  "head/" name "/" sentence)
