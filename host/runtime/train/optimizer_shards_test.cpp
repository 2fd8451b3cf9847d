#include <ATen/ATen.h>

#include <algorithm>
#include <vector>

#include "host/runtime/abi/guard.hpp"
#include "host/runtime/dist/test_ranks.hpp"
#include "host/runtime/model/test_components.hpp"
#include "host/runtime/train/optimizer.hpp"

using namespace vissl::host;
using namespace vissl::host::test;

namespace {

// SGD with momentum, and a count of steps as torch's Adam has.
struct Momentum {
  static vissl_status create(const vissl_value*, void** instance, vissl_err*) {
    *instance = new Momentum;
    return VISSL_OK;
  }
  static void destroy(void* self) { delete static_cast<Momentum*>(self); }
  static vissl_status step(void*, const vissl_opt_call* call, vissl_err* err) {
    return guarded(err, [&] {
      for (std::uint64_t g = 0; g < call->group_count; ++g) {
        const vissl_opt_group& group = call->groups[g];
        for (std::uint64_t i = 0; i < group.param_count; ++i) update(*call, group.params[i], err);
      }
    });
  }
  static void update(const vissl_opt_call& call, const vissl_opt_param& p, vissl_err* err) {
    vissl_tensor* buffer = call.state(call.self, p.id, str("momentum_buffer"));
    if (buffer == nullptr) {
      at::Tensor first = unwrap(p.grad).clone(), steps = at::ones({});
      call.set_state(call.self, p.id, str("momentum_buffer"), borrow(first), err);
      call.set_state(call.self, p.id, str("step"), borrow(steps), err);
    } else {
      unwrap(buffer).mul_(0.9).add_(unwrap(p.grad));
      unwrap(call.state(call.self, p.id, str("step"))).add_(1.0);
    }
    unwrap(p.param).sub_(unwrap(call.state(call.self, p.id, str("momentum_buffer"))), 0.1);
  }
  static constexpr vissl_optimizer_class kTable = {
      sizeof(vissl_optimizer_class),
      create,
      destroy,
      [](void*) -> std::uint64_t { return 1; },
      [](void*, std::uint64_t) -> vissl_str { return str("lr"); },
      [](void*, std::uint64_t) -> double { return 0.1; },
      step,
      nullptr};
};

// Two groups: matrices, and the rest.
struct ByShape {
  static vissl_status create(const vissl_value*, void** instance, vissl_err*) {
    *instance = new ByShape;
    return VISSL_OK;
  }
  static void destroy(void* self) { delete static_cast<ByShape*>(self); }
  static vissl_status assign(void*, const vissl_param_info* params, std::uint64_t count,
                             const vissl_value*, const vissl_group_sink* sink, vissl_err*) {
    const std::uint64_t matrices = sink->add(sink->self, str("matrices")),
                        rest = sink->add(sink->self, str("rest"));
    for (std::uint64_t i = 0; i < count; ++i)
      sink->assign(sink->self, i, unwrap(params[i].tensor).dim() == 2 ? matrices : rest);
    return VISSL_OK;
  }
  static constexpr vissl_param_groups_class kTable = {sizeof(vissl_param_groups_class), create,
                                                      destroy, assign};
};

class OptimizerCatalogue : public Catalogue {
 public:
  std::unique_ptr<Instance> create(std::string_view kind, const vissl_value*) override {
    if (kind == "optimizer") return make<Momentum>("optimizer");
    return make<ByShape>("param_groups");
  }

 private:
  template <class Component>
  static std::unique_ptr<Instance> make(const char* kind) {
    void* self = nullptr;
    Component::kTable.create(nullptr, &self, nullptr);
    return std::make_unique<TestInstance>(kind, kind, &Component::kTable, self,
                                          Component::kTable.destroy);
  }
};

const std::vector<std::vector<std::int64_t>> kShapes{{4, 3}, {5}, {2, 4}, {3}, {7}, {2, 2}};
constexpr std::size_t kFrozen = 4;

// The parameters of one rank and their optimizer; equal on all ranks.
class Training {
 public:
  Training() : entries_(kShapes.size()) {
    for (std::size_t i = 0; i < kShapes.size(); ++i) {
      entries_[i].name = "p" + std::to_string(i);
      entries_[i].tensor = at::full(kShapes[i], 1.0 + static_cast<double>(i));
      entries_[i].tensor.requires_grad_(i != kFrozen);
      all_.push_back(&entries_[i]);
    }
    optimizer_ = std::make_unique<Optimizer>(setting(config_), all_, schedules_, catalogue_);
  }
  void step() {
    for (std::size_t i = 0; i < kShapes.size(); ++i)
      if (i != kFrozen)
        entries_[i].tensor.mutable_grad() = at::full(kShapes[i], 0.5 + static_cast<double>(i));
    optimizer_->step(schedules_);
  }
  // Which parameters' state this rank has in its memory.
  std::vector<bool> held() {
    std::vector<bool> held;
    for (std::size_t i = 0; i < kShapes.size(); ++i) {
      held.push_back(optimizer_->find_state(i, "momentum_buffer") != nullptr);
      require((optimizer_->find_state(i, "step") != nullptr) == held[i], "both or none");
    }
    return held;
  }
  bool equals(const Training& other) const {
    for (std::size_t i = 0; i < kShapes.size(); ++i)
      if (!entries_[i].tensor.equal(other.entries_[i].tensor)) return false;
    return true;
  }
  Node state_dict() const { return optimizer_->state_dict(schedules_); }
  Optimizer& optimizer() { return *optimizer_; }

 private:
  Json config_ = Json::parse(R"({"param_groups": {"name": "by_shape"}, "param_schedulers": {}})");
  OptimizerCatalogue catalogue_;
  Schedules schedules_{setting(config_)["param_schedulers"], 1, StepBatch{}, catalogue_};
  std::vector<Entry> entries_;
  std::vector<Entry*> all_;
  std::unique_ptr<Optimizer> optimizer_;
};

// held[rank][parameter]: each that is trained on one rank alone, and no rank without any.
void check_dealt_out(const std::vector<std::vector<bool>>& held) {
  for (std::size_t i = 0; i < kShapes.size(); ++i) {
    CAPTURE(i);
    std::size_t holders = 0;
    for (const std::vector<bool>& rank : held) holders += rank[i] ? 1 : 0;
    CHECK(holders == (i == kFrozen ? 0 : 1));
  }
  for (const std::vector<bool>& rank : held) CHECK(std::count(rank.begin(), rank.end(), true) >= 1);
}

}  // namespace

TEST_CASE("sharded optimizer: each parameter's state lives on one rank alone, also after a load") {
  for (const std::int64_t world : {2, 3}) {
    CAPTURE(world);
    Training whole, stopped;  // what is saved shares its memory
    for (int step = 0; step < 3; ++step) whole.step();
    for (int step = 0; step < 2; ++step) stopped.step();
    const Node saved = stopped.state_dict();
    std::vector<std::vector<bool>> held(static_cast<std::size_t>(world)), loaded = held;
    on_ranks(world, [&](Collectives& ranks) {
      const auto r = static_cast<std::size_t>(ranks.rank());
      Training training;
      training.optimizer().shard(ranks);
      training.step();
      training.step();
      held[r] = training.held();
      const Node together = training.state_dict();
      require(same_values(together, saved), "the state of all ranks is that of one");
      require(training.held() == held[r], "a save leaves the state where it is");
      training.optimizer().load_state_dict(together, "test");
      loaded[r] = training.held();
      training.step();
      require(training.equals(whole), "every rank has every rank's updates");
    });
    check_dealt_out(held);
    CHECK(loaded == held);
  }
}

TEST_CASE("sharded optimizer: its summary says so, and one rank shards nothing") {
  Training plain;
  CHECK(plain.optimizer().summary() == "optimizer: matrices 3 rest 2");
  on_ranks(2, [&](Collectives& ranks) {
    Training training;
    training.optimizer().shard(ranks);
    require(training.optimizer().summary() ==
                "optimizer: matrices 3 rest 2, state sharded over 2 ranks",
            "summary");
  });
  plain.optimizer().shard(collectives());
  plain.step();
  CHECK(plain.optimizer().summary() == "optimizer: matrices 3 rest 2");
  const std::vector<bool> held = plain.held();
  CHECK(std::count(held.begin(), held.end(), true) == 5);
}

TEST_CASE("optimizer: a state of other groups, or of a parameter that is not there, is refused") {
  Training training;
  training.step();
  const auto load_error = [&](const Node& saved) {
    return error_of([&] { training.optimizer().load_state_dict(saved, "old.torch"); });
  };
  for (const Key& key : {Key(std::int64_t{9}), Key(std::int64_t{-1}), Key(std::string("p0"))}) {
    Node saved = training.state_dict();
    saved["state"][key] = Node::dict();
    CHECK(load_error(saved) ==
          "old.torch: optimizer state of an unknown parameter " + to_text(key));
  }
  Node saved = training.state_dict();
  saved["param_groups"] = Node::list();
  CHECK(load_error(saved) ==
        "old.torch: the optimizer's parameter groups differ from those of this config (optimizer: "
        "matrices 3 rest 2); resume with the config that wrote the checkpoint, or start in another "
        "checkpoint.dir");
  const std::vector<bool> held = training.held();
  CHECK(std::count(held.begin(), held.end(), true) == 5);  // what it had before
}
