// Cross entropy against a teacher that follows by a scheduled momentum, with a buffer, a parameter,
// an own backward and state.
#include <vissl/autograd.hpp>
#include <vissl/components.hpp>
#include <vissl/loss.hpp>
#include <vissl/plugin.hpp>
#include <vissl/state.hpp>

#include <memory>
#include <optional>

using namespace vissl;

namespace {

struct Half : Function {
  std::vector<Tensor> forward(const std::vector<Tensor>& in, std::vector<Tensor>& saved) override {
    saved = {in[0]};
    return {in[0] * 0.5};
  }
  std::vector<Tensor> backward(const std::vector<Tensor>&, const std::vector<Tensor>& g) override {
    return {g[0] * 0.5};
  }
};

class Follower {
 public:
  static constexpr auto events =
      event_mask(Event::start, Event::forward, Event::update, Event::end);

  static void params(Params& p) {
    p.component("momentum", "lr_schedule",
                "{ name = \"linear\", start_value = 0.5, end_value = 1.0 }", "Of the teacher.");
  }
  explicit Follower(const Config& c) : momentum_(c.table("momentum")) {}
  void build(const nn::Scope& store, const RunFacts& facts) {
    center_ = store.buffer("center", {1, facts.epochs * 2}, nn::Init::zeros());
    scale_ = store.param("scale", {1}, nn::Init::ones());
  }
  void on_event(Event event, Run& run) {
    if (event == Event::start) {
      TwinSpec spec;
      spec.from = run.model();
      spec.state_path = "loss.teacher";
      teacher_ = Model::create(spec);
    } else if (event == Event::forward) {
      target_ = run.forward_step(*teacher_)[0];
    } else if (event == Event::update) {
      ScheduleAt at = {};
      at.size = sizeof at;
      at.where = run.counters().where;
      teacher_->ema_update(run.model(), momentum_.value(at));
      ++updates_;
    } else {
      run.summary("golden_center", center_.sum().item<double>());
      run.summary("golden_scale", scale_.item<double>());
      run.summary("golden_updates", static_cast<double>(updates_));
    }
  }
  Tensor forward(const LossCall& call, const Tensor& out, const Tensor&) {
    const Tensor x = apply(std::make_unique<Half>(), "Half", {out}, 1)[0] * scale_;
    const Tensor p = (target_ - center_).softmax(1);
    const NoAutocast exact;
    const Tensor loss = -(p * x.log_softmax(1)).sum(Ints(1)).mean();
    {
      const NoGrad off;
      const Tensor mean = target_.mean(Ints(0), true);
      call.collectives().all_reduce(mean, Reduce::mean);
      center_.mul_(0.9).add_(mean, 0.1);
    }
    call.value("entropy", -(p * (p + 1e-9).log()).sum(Ints(1)).mean());
    return loss;
  }
  void save(Writer& out) const { out.put(updates_); }
  void load(Reader& in, std::uint64_t) { updates_ = in.get<std::int64_t>(); }

 private:
  InnerSchedule momentum_;
  Tensor center_, scale_, target_;
  std::optional<Model> teacher_;
  std::int64_t updates_ = 0;
};

}  // namespace

VISSL_LOSS(Follower, "golden_follower", "Follows a teacher.")
VISSL_PLUGIN("org.vissl.golden.loss", "1.0.0")
