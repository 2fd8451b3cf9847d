// Distillation: a teacher of another architecture with weights of its own, which sees the student's
// batch and stays as it is.
#include <vissl/loss.hpp>
#include <vissl/plugin.hpp>

#include <optional>

#include "spike.hpp"

using namespace vissl;
using namespace spike;

namespace {

class Distillation {
 public:
  static constexpr auto events = event_mask(Event::start, Event::forward, Event::end);

  static void params(Params& p) {
    p.model("teacher", required, "Trunk, heads and weights_init of the teacher.");
  }
  explicit Distillation(const Config& c) : config_(c.table("teacher")) {}

  void on_event(Event event, Run& run) {
    if (event == Event::start) {
      expect(!config_.has("input_type"), "keys that the teacher does not list are absent");
      expect(config_.table("trunk").boolean("stem_pool") == false &&
                 config_.table("trunk").has("zero_init_residual"),
             "the teacher's trunk is checked and has its defaults");
      TwinSpec spec;
      spec.config = config_;
      spec.training = false;
      spec.buffers = TwinBuffers::own;
      teacher_ = Model::create(spec);
      const Tensor theirs = weight(*teacher_), ours = weight(run.model());
      expect(theirs.size(0) == 2 * ours.size(0), "the teacher is wider than the student");
      run.summary("teacher_norm",
                  linalg_vector_norm(theirs.to(Dtype::f64), 2, nullopt).item<double>());
      for (const nn::Stored& entry : teacher_->store().entries())
        expect_equal_on_ranks(entry.tensor, "all ranks have the same teacher");
      start_ = weight(*teacher_).clone();
    } else if (event == Event::forward) {
      target_ = run.forward_step(*teacher_)[0];
      expect(!target_.requires_grad(), "the teacher has no graph");
      const Tensor again = teacher_->forward({run.record("data")})[0];
      expect_close(target_, again, 0.0, "forward_step gives the step's batch to the teacher");
    } else {
      expect_close(weight(*teacher_), start_, 0.0, "the teacher stays as it is");
      report(run);
    }
  }

  Tensor forward(const Tensor& student, const Tensor&) const {
    return -((target_ / 2.0).softmax(1) * (student / 2.0).log_softmax(1)).sum(Ints(1)).mean();
  }

 private:
  static constexpr auto nullopt = std::nullopt;
  static Tensor weight(const Model& model) {
    return model.store().find("trunk._feature_blocks.conv1.weight");
  }
  Config config_;
  std::optional<Model> teacher_;
  Tensor target_, start_;
};

}  // namespace

VISSL_LOSS(Distillation, "spike_distillation", "Soft targets of a teacher.")
VISSL_PLUGIN("org.vissl.spikes.distillation", "1.0.0")
