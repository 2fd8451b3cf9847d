// Barlow Twins (arXiv:2103.03230) as VISSL computes it: statistics with gradient over all ranks, a
// correlation matrix whose average over the ranks autograd does not see, so that after the ranks'
// gradients are averaged each parameter has 1/W of the joined loss's gradient.
#include <vissl/autograd.hpp>
#include <vissl/loss.hpp>
#include <vissl/plugin.hpp>

#include <cmath>
#include <memory>

#include "spike.hpp"

using namespace vissl;
using namespace spike;

namespace {

// Lets a tensor through and keeps its gradient.
struct Tap : Function {
  std::shared_ptr<Tensor> seen;
  explicit Tap(std::shared_ptr<Tensor> into) : seen(std::move(into)) {}
  std::vector<Tensor> forward(const std::vector<Tensor>& in, std::vector<Tensor>&) override {
    return {in[0].clone()};
  }
  std::vector<Tensor> backward(const std::vector<Tensor>&, const std::vector<Tensor>& g) override {
    *seen = g[0];
    return {g[0]};
  }
};

class BarlowTwins {
 public:
  static constexpr auto rank_reduction = RankReduction::local;
  static constexpr auto events = event_mask(Event::backward, Event::end);

  static void params(Params& p) { p.require_collator("simclr_collator"); }

  Tensor forward(const LossCall& call, const Tensor& embeddings, const Tensor&) {
    ranks_ = call.collectives();
    const Tensor z = apply(std::make_unique<Tap>(grad_), "Tap", {embeddings}, 1)[0];
    z_ = z.detach();
    return loss_of(z);
  }

  void on_event(Event event, Run& run) {
    if (event == Event::end) return report(run);
    expect(grad_->defined(), "the own backward ran");
    // The gradient of the joined loss with respect to the first rank's rows, along one direction.
    const NoGrad off;
    const double eps = 1e-4;
    const Tensor direction =
        (arange(0, z_.numel(), 1, Options(Dtype::f64)) * 0.7).sin().view(z_.sizes()) *
        (ranks_.rank() == 0 ? 1.0 : 0.0);
    const double slope =
        (loss_of(z_ + direction * eps) - loss_of(z_ - direction * eps)).item<double>() / (2 * eps);
    const Tensor along = (*grad_ * direction).sum().reshape({1});
    ranks_.all_reduce(along);
    expect(std::abs(along.item<double>() - slope) < 1e-5 * std::max(1.0, std::abs(slope)),
           "each rank has the joined loss's gradient of its rows");
    // The host averages: the last bias gets 1/W of the sum over all ranks' rows.
    for (const Param& p : run.params()) {
      if (p.name != "heads.0.clf.0.bias") continue;
      const Tensor sum = grad_->sum(Ints(0));
      ranks_.all_reduce(sum);
      expect_close(run.grad(p), sum / static_cast<double>(ranks_.world()), 1e-10,
                   "the parameters' gradient is 1/W of the joined one");
    }
  }

 private:
  Tensor loss_of(const Tensor& z) const {
    const Tensor mean = ranks_.all_reduce_with_grad(z.mean(Ints(0)), Reduce::mean);
    const Tensor square = ranks_.all_reduce_with_grad((z * z).mean(Ints(0)), Reduce::mean);
    const Tensor n = (z - mean) / (square - mean * mean + 1e-5).sqrt();
    const std::int64_t rows = z.size(0) / 2;
    const Tensor local =
        matmul(n.narrow(0, 0, rows).t(), n.narrow(0, rows, rows)) / static_cast<double>(rows);
    const Tensor joined = local.detach().clone();
    ranks_.all_reduce(joined, Reduce::mean);
    const Tensor share = local / static_cast<double>(ranks_.world());
    const Tensor c =
        share + (joined - share.detach());  // the value of `joined`, 1/W of the gradient
    const Tensor diagonal = c.diagonal();
    const Tensor on = (diagonal - 1).pow(2).sum();
    const Tensor off = c.pow(2).sum() - diagonal.pow(2).sum();
    return on + off * 0.0051;
  }

  Collectives ranks_;
  Tensor z_;
  std::shared_ptr<Tensor> grad_ = std::make_shared<Tensor>();
};

}  // namespace

VISSL_LOSS(BarlowTwins, "spike_barlow", "Decorrelates features over all ranks.")
VISSL_PLUGIN("org.vissl.spikes.barlow_twins", "1.0.0")
