// The loss of ../confidence_penalty on libtorch's stable ABI: the mathematics run through
// torch/csrc/stable instead of the host's operator table, with equal bits. One build works with
// this libtorch and later ones. Choose this when you have kernels written on the stable ABI
// already; a new plugin needs no libtorch headers at all.
//
// The stable ABI has few wrappers, so the dispatcher is called by the operator's name, and error
// texts of libtorch go to stderr instead of into the error (until libtorch 2.13).
#include <torch/csrc/stable/ops.h>

#include <vissl/loss.hpp>
#include <vissl/plugin.hpp>
#include <vissl/torch/stable.hpp>

#include <array>
#include <cstdint>
#include <optional>

namespace {

namespace stable = torch::stable;

// One operator that returns a tensor; positional arguments, all of them.
template <class... Args>
stable::Tensor dispatch(const char* name, const char* overload, const Args&... args) {
  std::array<StableIValue, sizeof...(args)> stack = {stable::detail::from(args)...};
  TORCH_ERROR_CODE_CHECK(torch_call_dispatcher(name, overload, stack.data(), TORCH_ABI_VERSION));
  return stable::detail::to<stable::Tensor>(stack[0]);
}

stable::Tensor times(const stable::Tensor& x, double factor) {
  return dispatch("aten::mul", "Tensor", x, stable::full({}, factor, x.scalar_type()));
}

struct ConfidencePenalty {
  double beta;

  static void params(vissl::Params& p) {
    p.number("beta", 0.1, vissl::at_least(0.0), "Weight of the penalty.");
  }
  explicit ConfidencePenalty(const vissl::Config& c) : beta(c.number("beta")) {}

  vissl::Tensor forward(const vissl::LossCall& call, const vissl::Tensor& output,
                        const vissl::Tensor& target) const {
    const stable::Tensor logits = vissl::to_stable(output);
    const std::optional<stable::ScalarType> same;
    const std::optional<stable::Tensor> no_weight;
    const stable::Tensor log_p =
        dispatch("aten::log_softmax", "int", logits, std::int64_t{1}, same);
    const stable::Tensor p = dispatch("aten::exp", "", log_p);
    const stable::Tensor rows = stable::sum(dispatch("aten::mul", "Tensor", p, log_p), {{1}});
    const stable::Tensor entropy = times(dispatch("aten::mean", "", rows, same), -1);
    call.value("entropy", vissl::from_stable(entropy));
    const stable::Tensor nll =
        dispatch("aten::cross_entropy_loss", "", logits, vissl::to_stable(target), no_weight,
                 std::int64_t{vissl::reduction_mean}, std::int64_t{-100}, 0.0);
    return vissl::from_stable(stable::subtract(nll, times(entropy, beta)));
  }
};

}  // namespace

VISSL_LOSS(ConfidencePenalty, "confidence_penalty_stable",
           "The loss confidence_penalty on libtorch's stable ABI.")
VISSL_PLUGIN("example.confidence_penalty_stable", "1.0.0")
