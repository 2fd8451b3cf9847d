// DINO (arXiv:2104.14294): a teacher with another drop path than the student, a centre, a
// temperature schedule that is a component of its own, a momentum schedule.
#include <vissl/components.hpp>
#include <vissl/loss.hpp>
#include <vissl/plugin.hpp>
#include <vissl/trunk.hpp>

#include <cmath>
#include <optional>

#include "spike.hpp"

using namespace vissl;
using namespace spike;

namespace {

// x + branch(x), where training leaves the branch out with the probability drop_path_rate.
class DropPathTrunk {
 public:
  static void params(Params& p) {
    p.number("drop_path_rate", 0.0, between(0.0, 1.0), "Probability of leaving out the branch.");
  }
  explicit DropPathTrunk(const Config& c) : rate_(c.number("drop_path_rate")) {}
  void build(const nn::Scope& s) {
    stem_ = nn::Linear(s / "stem", 3, 8);
    branch_ = nn::Linear(s / "branch", 8, 8);
  }
  std::vector<std::string> features() const { return {"flat"}; }
  void forward(const TrunkCall& call, Features& out) const {
    const Tensor x = stem_(call.image().mean({2, 3}));
    const Tensor kept = call.training() && rate_ > 0.0
                            ? x.narrow(1, 0, 1).empty_like().uniform_().ge(rate_).to(x)
                            : ones({x.size(0), 1});
    out.put("flat", x + branch_(x) * kept);
  }

 private:
  double rate_;
  nn::Linear stem_, branch_;
};

class Dino {
 public:
  static constexpr auto events =
      event_mask(Event::start, Event::forward, Event::update, Event::end);

  static void params(Params& p) {
    p.integer("dim", 8, at_least(1), "Outputs of the head.");
    p.number("momentum", 0.9, between(0.0, 1.0), "Of the teacher at the start.");
    p.component("teacher_temp", "lr_schedule",
                "{ name = \"linear\", start_value = 0.04, end_value = 0.07 }",
                "Temperature of the teacher.");
  }
  explicit Dino(const Config& c)
      : dim_(c.integer("dim")),
        momentum_(c.number("momentum")),
        temperature_(c.table("teacher_temp")) {}

  void build(const nn::Scope& store) {
    center_ = store.buffer("center", {1, dim_}, nn::Init::zeros());
  }

  void on_event(Event event, Run& run) {
    const Counters at = run.counters();
    if (event == Event::end) return report(run);
    if (event == Event::start) return make_teacher(run);
    if (event == Event::forward) {
      std::vector<Tensor> crops = run.records("data");
      expect(crops.size() == 4, "the step record has all crops");
      crops.resize(2);
      teacher_out_ = teacher_->forward(crops)[0];
      return;
    }
    const double progress =
        static_cast<double>(at.iteration) / static_cast<double>(at.max_iteration);
    const double m = 1.0 - 0.5 * (1.0 - momentum_) * (std::cos(M_PI * progress) + 1.0);
    const Tensor weight = teacher_->store().find("trunk.branch.weight");
    const Tensor expected =
        weight * m + run.model().store().find("trunk.branch.weight").detach() * (1.0 - m);
    teacher_->ema_update(run.model(), m);
    expect_close(weight, expected, 1e-6, "the teacher follows the average");
    run.log_extra("teacher_momentum", m);
  }

  Tensor forward(const LossCall& call, const Tensor& student, const Tensor&) {
    ScheduleAt at = {};
    at.size = sizeof at;
    at.where = call.run().counters().where;
    const double temperature = temperature_.value(at);
    expect(std::abs(temperature - (0.04 + 0.03 * at.where)) < 1e-9,
           "the inner schedule is evaluated");
    const std::int64_t rows = teacher_out_.size(0) / 2, crops = student.size(0) / rows;
    const Tensor targets = ((teacher_out_ - center_) / temperature).softmax(1);
    Tensor total = zeros(1, Options(Dtype::f32, student.device()));
    for (std::int64_t t = 0; t < 2; ++t)
      for (std::int64_t s = 0; s < crops; ++s)
        if (s != t)
          total = total - (targets.narrow(0, t * rows, rows) *
                           (student.narrow(0, s * rows, rows) / 0.1).log_softmax(1))
                              .sum(Ints(1))
                              .mean();
    move_center(call.collectives());
    return total.squeeze(0) / static_cast<double>(2 * (crops - 1));
  }

 private:
  void make_teacher(Run& run) {
    TwinSpec spec;
    spec.from = run.model();
    spec.overrides = Config::parse("[trunk]\ndrop_path_rate = 0.0\n");
    spec.buffers = TwinBuffers::own;
    spec.sync_bn = TwinSync::all;
    spec.state_path = "loss.momentum_teacher";
    teacher_ = Model::create(spec);
    const NoGrad off;
    const Tensor x = rand({4, 3, 8, 8}, Generator());
    Model::Forward train, eval;
    train.mode = ForwardMode::train;
    eval.mode = ForwardMode::eval;
    const Tensor teacher = teacher_->forward({x})[0];
    expect_close(teacher, run.model().forward({x}, eval)[0], 0.0,
                 "the teacher is the student without drop path");
    expect(distance(teacher, run.model().forward({x}, train)[0]) > 1e-4,
           "the student drops its branch");
  }

  void move_center(const Collectives& ranks) {
    const NoGrad off;
    const Tensor mean = teacher_out_.mean(Ints(0), true);
    ranks.all_reduce(mean, Reduce::mean);
    const Tensor expected = center_ * 0.9 + mean * 0.1;
    center_.mul_(0.9).add_(mean, 0.1);
    expect_close(center_, expected, 1e-6, "the centre follows the teacher's mean");
    expect_equal_on_ranks(center_, "the centre is the same on all ranks");
  }

  std::int64_t dim_;
  double momentum_;
  InnerSchedule temperature_;
  Tensor center_, teacher_out_;
  std::optional<Model> teacher_;
};

}  // namespace

VISSL_TRUNK(DropPathTrunk, "spike_drop_path", "A linear layer and a branch that may be left out.")
VISSL_LOSS(Dino, "spike_dino", "A teacher without drop path, a centre, two schedules.")
VISSL_PLUGIN("org.vissl.spikes.dino", "1.0.0")
