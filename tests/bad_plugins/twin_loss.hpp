#pragma once
// A loss that acts in the events of a run: cross entropy against a teacher that follows the model.
#include <vissl/loss.hpp>
#include <vissl/state.hpp>

#include <optional>

struct Twin {
  static constexpr auto events = vissl::event_mask(vissl::Event::start, vissl::Event::forward,
                                                   vissl::Event::backward, vissl::Event::update);
  vissl::Tensor center, target;
  std::optional<vissl::Model> teacher;
  std::int64_t updates = 0;

  void build(const vissl::nn::Scope& store) {
    center = store.buffer("center", {1}, vissl::nn::Init::zeros());
  }
  void on_event(vissl::Event event, vissl::Run& run) {
    if (event == vissl::Event::start) {
      vissl::TwinSpec spec;
      spec.from = run.model();
      spec.state_path = "loss.teacher";
      teacher = vissl::Model::create(spec);
    } else if (event == vissl::Event::forward) {
      target = run.forward_step(*teacher)[0];
    } else if (event == vissl::Event::update) {
      teacher->ema_update(run.model(), ++updates < 4 ? 0.5 : 0.9);
    }
  }
  // Its forward alone has no target.
  vissl::Tensor forward(const vissl::Tensor& output, const vissl::Tensor&) {
    const vissl::Tensor wanted = (target - center).softmax(1);
    const vissl::Tensor loss = (wanted * output.log_softmax(1)).sum(vissl::Ints(1)).mean() * -1.0;
    const vissl::NoGrad off;
    center.mul_(0.9).add_(target.mean(), 0.1);
    return loss;
  }
  void save(vissl::Writer& out) const { out.put(updates); }
  void load(vissl::Reader& in, std::uint64_t) { updates = in.get<std::int64_t>(); }
};

#define TWIN_LOSS(Type, name, sentence) \
  VISSL_LOSS(Type, name, sentence)      \
  VISSL_PLUGIN("org.example." name, "1.0.0")
