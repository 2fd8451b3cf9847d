// Clips gradients, watches blocks, measures the train split with a pass and writes what it saw.
#include <vissl/blocks.hpp>
#include <vissl/hook.hpp>
#include <vissl/plugin.hpp>

using namespace vissl;

namespace {

class Watcher {
 public:
  static void params(Params& p) { p.number("max_norm", 0.5, above(0.0), "Of all gradients."); }
  explicit Watcher(const Config& c) : limit_(c.number("max_norm")) {}
  static constexpr auto events =
      event_mask(Event::backward, Event::step, Event::phase_end, Event::end);

  void on_event(Event event, Run& run) {
    if (event == Event::backward) {
      norms_ += run.clip_grads(limit_);
    } else if (event == Event::step) {
      losses_ += run.loss().item<double>();
      rate_ = run.hyper("lr").at(0);
    } else if (event == Event::phase_end) {
      Pass pass;
      pass.split = "train";
      pass.features = {"flat"};
      run.pass(pass,
               [&](const PassBatch& batch) { features_ += batch.outputs[0].sum().item<double>(); });
      run.phase_metric("golden", "{\"features\": " + std::to_string(features_) + "}");
    } else {
      run.summary("golden_norms", norms_);
      run.summary("golden_losses", losses_);
      run.summary("golden_rate", rate_);
      run.summary("golden_features", features_);
      run.summary("golden_blocks", blocks_);
      run.summary("golden_weights", weights(run));
    }
  }
  void enter_block(const Block&) { ++blocks_; }
  void leave_block(const Block&) {}

 private:
  static double weights(const Run& run) {
    double sum = 0;
    for (const nn::Stored& entry : run.model().store().entries())
      sum += entry.tensor.sum().item<double>();
    return sum;
  }
  double limit_, norms_ = 0, losses_ = 0, rate_ = 0, features_ = 0;
  int blocks_ = 0;
};

}  // namespace

VISSL_HOOK(Watcher, "golden_watcher", "Clips, watches and measures.")
VISSL_PLUGIN("org.vissl.golden.hook", "1.0.0")
