// Writes to TensorBoard what VISSL's hook writes, under its tags: histograms of parameters and
// gradients, the training curve, the speed, and the meters of each phase. The event file lies in
// tb_logs of the run's folder.
//
// Departs from VISSL where it stops with an error: with several learning rates the first goes to
// Training/Learning_rate and the others to Training/Learning_rate_1 …, and outputs of equal name
// get a number each.
#include <vissl/hook.hpp>
#include <vissl/plugin.hpp>

#include <chrono>
#include <cmath>
#include <string>
#include <vector>

using namespace vissl;

namespace {

double five_decimals(double value) {
  return std::round(value * 1e5) / 1e5;
}

class Tensorboard {
 public:
  static constexpr auto events = event_mask(Event::phase_start, Event::update, Event::phase_end);

  static void params(Params& p) {
    p.vissl_prefix("HOOKS.TENSORBOARD_SETUP");
    p.boolean("log_params", true, "Histograms of parameters.")
        .vissl("HOOKS.TENSORBOARD_SETUP.LOG_PARAMS");
    p.integer("log_params_every_n_iters", 310, at_least(-1),
              "Train steps between histograms; 0 or -1 = at the end of train phases alone.")
        .vissl("HOOKS.TENSORBOARD_SETUP.LOG_PARAMS_EVERY_N_ITERS");
    p.boolean("log_params_gradients", true, "Histograms of gradients.")
        .vissl("HOOKS.TENSORBOARD_SETUP.LOG_PARAMS_GRADIENTS");
    p.integer("log_frequency", 10, at_least(1),
              "Train steps between points of the curve; the first 100 steps have one every 5.")
        .vissl("LOG_FREQUENCY");
    p.derive("log_frequency", "log_frequency");
  }
  explicit Tensorboard(const Config& c)
      : params_(c.boolean("log_params")),
        gradients_(c.boolean("log_params_gradients")),
        every_(c.integer("log_params_every_n_iters")),
        frequency_(c.integer("log_frequency")) {}

  void on_event(Event event, Run& run) {
    const Counters at = run.counters();
    const bool training = at.training != 0;
    if (event == Event::phase_start) {
      if (params_ && training && at.train_phase_idx == 0 && at.iteration == 0) {
        parameters(run, -1);
      }
      phase_iterations_ = 0;
      phase_start_ = Clock::now();
    } else if (event == Event::update) {
      step(run, at);
    } else if (event == Event::phase_end) {
      meters(run, training, at.train_phase_idx);
      if (training) histograms(run, at.train_phase_idx);
    }
  }

 private:
  using Clock = std::chrono::steady_clock;

  // The update of step `iteration` (from 0) is done; the counters advance after this event.
  void step(const Run& run, const Counters& at) {
    const std::int64_t iteration = at.iteration;
    if (phase_iterations_++ < 0) phase_start_ = Clock::now();  // resumed inside a phase
    if (every_ > 0 && iteration % every_ == 0) histograms(run, iteration);
    if (iteration % frequency_ != 0 && (iteration > 100 || iteration % 5 != 0)) return;
    run.scalar("Training/Loss", five_decimals(run.loss().item<double>()), iteration);
    const std::vector<double> rates = run.hyper("lr");
    for (std::size_t i = 0; i < rates.size(); ++i) {
      const std::string number = i == 0 ? "" : "_" + std::to_string(i);
      run.scalar("Training/Learning_rate" + number, five_decimals(rates[i]), iteration);
    }
    if (phase_iterations_ == 0) return;
    const double seconds = std::chrono::duration<double>(Clock::now() - phase_start_).count() /
                           static_cast<double>(phase_iterations_);
    const double left = static_cast<double>(at.max_iteration - iteration);
    const double batch = static_cast<double>(run.facts().batch_size);
    run.scalar("Speed/Batch_processing_time_ms", std::trunc(1000.0 * seconds), iteration);
    run.scalar("Speed/img_per_sec_per_gpu", std::trunc(batch / seconds), iteration);
    run.scalar("Speed/ETA_hours", seconds * left / 3600.0, iteration);
  }

  void histograms(const Run& run, std::int64_t step) const {
    if (params_) parameters(run, step);
    if (!gradients_) return;
    for (const Param& p : run.params()) {
      const Tensor grad = run.grad(p);
      if (grad && grad.numel() > 0) run.histogram("Gradients/" + p.name, grad, step);
    }
  }
  static void parameters(const Run& run, std::int64_t step) {
    for (const Param& p : run.params()) run.histogram("Parameters/" + p.name, p.tensor, step);
  }

  static void meters(const Run& run, bool training, std::int64_t step) {
    for (const Metric& metric : run.metrics()) {
      std::string tag = training ? "Training/" : "Testing/";
      for (std::size_t i = 0; i < metric.path.size(); ++i) {
        tag += (i == 0 ? "" : i == 2 ? "_Output_" : "_") + metric.path[i];
      }
      run.scalar(tag, five_decimals(metric.value), step);
    }
  }

  bool params_, gradients_;
  std::int64_t every_, frequency_;
  std::int64_t phase_iterations_ = -1;  // steps since phase_start_; -1 = there was none
  Clock::time_point phase_start_;
};

}  // namespace

VISSL_HOOK(Tensorboard, "tensorboard", "Curves, speed, meters and histograms for TensorBoard.")
VISSL_PLUGIN("org.vissl.hooks.tensorboard", "1.0.0")
