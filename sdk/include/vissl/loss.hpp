#pragma once
// Kind loss. The outputs of the model and the target in, a scalar out:
//
//   struct CrossEntropy {
//     Tensor forward(const LossCall& call, const Tensor& logits, const Tensor& target);
//   };
//   VISSL_LOSS(CrossEntropy, "cross_entropy", "Cross entropy of logits and classes.")
//
// `forward` may leave out the call, and may take const std::vector<Tensor>& for models with several
// outputs. The target is undefined when the batch has none. Optional: params, build (build.hpp),
// rank_reduction, events and state. Buffers (queues, banks, prototypes) are created in `build`,
// scope "loss". [main]
#include <vissl/loss.h>
#include <vissl/build.hpp>
#include <vissl/collectives.hpp>
#include <vissl/events.hpp>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

// How the loss of W ranks relates to the loss of one rank with the joined batch.
enum class RankReduction : std::uint32_t {
  mean_over_world = VISSL_REDUCTION_MEAN_OVER_WORLD,  // mean of the ranks' losses; the default
  joined =
      VISSL_REDUCTION_JOINED,  // own rows against all ranks' rows: the mean equals the joined loss
  local = VISSL_REDUCTION_LOCAL,  // statistics of one rank only: no equality is promised
};

// One evaluation of the loss.
class LossCall {
 public:
  LossCall(vissl_run* run, std::vector<Tensor> outputs) : run_(run), outputs_(std::move(outputs)) {}
  const Run& run() const { return run_; }
  Collectives collectives() const { return Collectives(); }
  const std::vector<Tensor>& outputs() const { return outputs_; }  // all outputs of the model
  // Reports a value beside the loss: averaged over the ranks, logged as "loss.<name>".
  void value(std::string_view name, const Tensor& value) const { run_.loss_value(name, value); }

 private:
  Run run_;
  std::vector<Tensor> outputs_;
};

namespace detail {

template <class T, class = void>
struct RankReductionOf {
  static constexpr RankReduction value = RankReduction::mean_over_world;
};
template <class T>
struct RankReductionOf<T, std::void_t<decltype(T::rank_reduction)>> {
  static constexpr RankReduction value = T::rank_reduction;
};

template <class T>
struct LossKind {
  using One = const Tensor&;
  using Many = const std::vector<Tensor>&;
  static Tensor run(T& loss, const LossCall& call, One target) {
    const std::vector<Tensor>& outputs = call.outputs();
    if constexpr (HasForward<T, void(const LossCall&, Many, One)>::value) {
      return loss.forward(call, outputs, target);
    } else if constexpr (HasForward<T, void(Many, One)>::value) {
      return loss.forward(outputs, target);
    } else {
      if (outputs.size() != 1) {
        fail(VISSL_E_CONFIG, "the loss takes one output of the model, but the heads give " +
                                 std::to_string(outputs.size()));
      }
      if constexpr (HasForward<T, void(const LossCall&, One, One)>::value) {
        return loss.forward(call, outputs[0], target);
      } else {
        static_assert(HasForward<T, void(One, One)>::value,
                      "a loss needs Tensor forward([const LossCall&,] output or outputs, target)");
        return loss.forward(outputs[0], target);
      }
    }
  }
  static vissl_status forward(void* instance, vissl_run* handle, vissl_tensor* const* outputs,
                              std::uint64_t output_count, vissl_tensor* target, vissl_tensor** out,
                              vissl_err* err) noexcept {
    return guarded(err, [&] {
      const LossCall call(handle, borrow_tensors(outputs, output_count));
      *out = run(*static_cast<T*>(instance), call, Tensor::borrow(target)).release();
      if (*out == nullptr) fail("the loss returned no tensor");
    });
  }
  static constexpr vissl_loss_class kTable = {
      sizeof(vissl_loss_class),
      &create<T>,
      &destroy<T>,
      &build<T>,
      &forward,
      static_cast<std::uint32_t>(RankReductionOf<T>::value)};
};

}  // namespace detail
}  // namespace abi1
}  // namespace vissl

#define VISSL_LOSS(Type, name, sentence)                                        \
  VISSL_COMPONENT(Type, VISSL_LOSS_ID, ::vissl::detail::LossKind<Type>::kTable, \
                  "loss/" name "/" sentence)
