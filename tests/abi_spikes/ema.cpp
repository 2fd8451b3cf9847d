// An average of the model's parameters and statistics, and its outputs for the step's batch.
#include <vissl/hook.hpp>
#include <vissl/plugin.hpp>

#include <optional>

#include "spike.hpp"

using namespace vissl;
using namespace spike;

namespace {

class Ema {
 public:
  static constexpr auto events =
      event_mask(Event::start, Event::loss_and_meter, Event::update, Event::end);

  void on_event(Event event, Run& run) {
    if (event == Event::start) {
      TwinSpec spec;
      spec.from = run.model();
      spec.buffers = TwinBuffers::ema;
      spec.training = false;
      spec.state_path = "hooks.spike_ema";
      average_ = Model::create(spec);
    } else if (event == Event::update) {
      update(run);
    } else if (event == Event::loss_and_meter) {
      const std::vector<Tensor> outputs = run.forward_step(*average_);
      expect(outputs.size() == run.output_count() && outputs[0].sizes() == run.output().sizes(),
             "the average gives outputs as the model does");
      if (run.counters().iteration > 0)
        expect(distance(outputs[0], run.output()) > 0, "the average is another model");
    } else {
      report(run);
    }
  }

 private:
  void update(Run& run) {
    const double decay = run.counters().where < 0.3 ? 0.0 : 0.9;  // copies at first
    std::vector<Tensor> before;
    for (const nn::Stored& entry : average_->store().entries())
      before.push_back(entry.tensor.clone());
    average_->ema_update(run.model(), decay);
    const std::vector<nn::Stored> now = average_->store().entries();
    const std::vector<nn::Stored> model = run.model().store().entries();
    expect(now.size() == model.size(), "a twin has the model's entries");
    for (std::size_t i = 0; i < now.size(); ++i) {
      const bool averaged = now[i].tensor.dtype() == Dtype::f32;
      const Tensor source = model[i].tensor.detach();
      expect(now[i].name == model[i].name, "both stores list the same names");
      expect_close(now[i].tensor, averaged ? before[i] * decay + source * (1 - decay) : source,
                   1e-6, "the average of " + now[i].name);
    }
  }
  std::optional<Model> average_;
};

}  // namespace

VISSL_HOOK(Ema, "spike_ema", "An average of the weights.")
VISSL_PLUGIN("org.vissl.spikes.ema", "1.0.0")
