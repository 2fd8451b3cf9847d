// One small component of each kind of the training path, written as an author would, called through
// its class table.
#include <doctest/doctest.h>

#include <vissl/engine.hpp>
#include <vissl/head.hpp>
#include <vissl/hook.hpp>
#include <vissl/loss.hpp>
#include <vissl/meter.hpp>
#include <vissl/optimizer.hpp>
#include <vissl/param_groups.hpp>
#include <vissl/test.hpp>
#include <vissl/trunk.hpp>

using namespace vissl;
using test::tensor;

namespace {

// InfoNCE over all ranks, with events, a twin, a buffer and state.
struct Contrast {
  static constexpr auto rank_reduction = RankReduction::joined;
  static constexpr auto events = event_mask(Event::start, Event::update);
  double temperature;
  std::int64_t steps = 0;
  Tensor queue;
  std::optional<Model> key;

  static void params(Params& p) {
    p.number("temperature", 0.5, above(0.0), "Divides the similarities.");
    p.require_collator("simclr_collator");
  }
  explicit Contrast(const Config& c) : temperature(c.number("temperature")) {}
  void build(const nn::Scope& store, const RunFacts& facts) {
    queue = store.buffer("queue", {facts.batch_size, 2}, nn::Init::zeros());
  }
  Tensor forward(const LossCall& call, const Tensor& embeddings, const Tensor& labels) {
    const Tensor z = normalize(embeddings, 1);
    const Tensor all = call.collectives().all_gather_with_grad(z);
    const Tensor logits = matmul(z, all.t()) / temperature;
    call.value("positives", logits.mean());
    return cross_entropy(logits, labels + call.collectives().rank() * embeddings.size(0));
  }
  void on_event(Event event, Run& run) {
    if (event == Event::start) {
      TwinSpec spec;
      spec.from = run.model();
      spec.state_path = "loss.key_encoder";
      key = Model::create(spec);
    } else {
      key->ema_update(run.model(), 0.75);
      queue.copy_(key->forward({run.record("data")})[0]);
      ++steps;
    }
  }
  void save(Writer& out) const { out.put(steps); }
  void load(Reader& in, std::uint64_t) { in.get(steps); }
};

struct Sum {  // no call, several outputs, no parameters
  Tensor forward(const std::vector<Tensor>& outputs, const Tensor&) const {
    return outputs[0].sum() + outputs[1].sum();
  }
};

struct LinearHead {
  std::int64_t in, out;
  nn::Linear layer;
  static void params(Params& p) { p.integers("dims", required, at_least(1), "Widths."); }
  explicit LinearHead(const Config& c) : in(c.integers("dims")[0]), out(c.integers("dims")[1]) {}
  void build(const nn::Scope& s) { layer = nn::Linear(s / "clf", in, out); }
  Tensor forward(const Tensor& x) const { return layer(x); }
  std::int64_t in_channels() const { return in; }
};
struct TwoHeads {
  std::vector<Tensor> forward(const std::vector<Tensor>& x, bool training) const {
    return {x[0] * (training ? 2 : 1), x[1]};
  }
};

struct Net {
  std::vector<std::string> features() const { return {"a", "b", "c"}; }
  void forward(const TrunkCall& call, Features& out) {
    Tensor x = out.put("a", call.image() + 1);
    if (out.complete()) return;
    x = out.put("b", x * 2);
    if (out.complete()) return;
    ++computed_c;
    if (call.training()) out.put("c", x * 10);
  }
  std::int64_t channels(std::string_view feature) const { return feature == "a" ? 3 : -1; }
  int computed_c = 0;
};

struct Sgd {
  double momentum;
  static void params(Params& p) {
    p.number("momentum", 0.9, between(0.0, 1.0), "Decay of the buffer.");
  }
  explicit Sgd(const Config& c) : momentum(c.number("momentum")) {}
  std::vector<Hyper> hypers() const { return {{"lr"}, {"momentum", momentum}}; }
  void step(const OptCall& call) {
    for (const OptGroup& group : call.groups()) {
      for (const OptParam& p : group.params()) {
        Tensor buffer = call.state(p, "momentum_buffer");
        if (buffer) {
          buffer.mul_(group.hyper(1)).add_(p.grad());
        } else {
          buffer = p.grad().clone();
          call.set_state(p, "momentum_buffer", buffer);
        }
        p.param().sub_(buffer, group.hyper(0));
      }
      norm = call.norms({group.params()[0].grad()}).item<double>();
    }
  }
  double norm = 0;
};

struct Groups {
  void assign(const ParamGroupsCall& call) const {
    const auto decayed = call.add("decayed"), plain = call.add("plain");
    call.constant(decayed, "weight_decay", call.optimizer().number("weight_decay"));
    call.schedule(plain, "lr", "lr_head", 0.5);
    for (const Param& p : call.params()) {
      if (p.trainable) call.assign(p, p.role == VISSL_ROLE_BIAS ? plain : decayed);
    }
  }
};

struct Accuracy {
  std::vector<double> counts;
  void reset() { counts = {0, 0}; }
  void update(const std::vector<Tensor>& outputs, const Tensor& target) {
    counts[0] += outputs[0].argmax(1).eq(target).sum().item<double>();
    counts[1] += static_cast<double>(target.numel());
  }
  std::vector<double>& counters() { return counts; }
  void value(Json& out) const {
    out.object().key("top_1").object().key("0").number(100 * counts[0] / counts[1]).close();
    out.key("text").string("a\"b").key("list").array().integer(1).boolean(true).number(INFINITY);
  }
};

struct Clip {
  double norm;
  static void params(Params& p) { p.number("max_norm", 1.0, above(0.0), "Largest norm."); }
  explicit Clip(const Config& c) : norm(c.number("max_norm")) {}
  static constexpr auto events = event_mask(Event::backward);
  void on_event(Event, Run& run) const {
    run.log_extra("norm", run.clip_grads(norm));
    for (const Param& p : run.params()) {
      if (p.name == "unused") run.drop_grad(p);
    }
    for (const double lr : run.hyper("lr")) run.log_extra("lr", lr);
    if (run.counters().iteration == 7) run.stop(0, "enough");
  }
};

struct Neighbours {
  void run(Run& run) const {
    double total = 0;
    std::vector<std::int64_t> seen;
    Pass spec;
    spec.split = "test";
    spec.features = {"res5"};
    run.pass(spec, [&](const PassBatch& batch) {
      if (batch.rows == 0 || batch.labels == nullptr) fail("empty batch");
      total += batch.outputs[0].sum().item<double>();
      seen.insert(seen.end(), batch.indices, batch.indices + batch.rows);
    });
    run.summary("total", total);
    run.info("passed " + std::to_string(seen.size()) + " of " +
             run.split_path("test", seen.back()));
    run.scalar("sum", total, run.counters().iteration);
    if (run.split_length("none") != -1) fail("there is no such split");
  }
};

test::RunParam param(const std::string& name, const Tensor& value, const Tensor& grad) {
  test::RunParam p;
  p.name = name;
  p.tensor = value;
  p.grad = grad;
  return p;
}

TEST_CASE("loss: forward, named values, build, events, twin and state reach the component") {
  test::Host host;
  host.load_self();
  host.run.facts.batch_size = 2;
  const test::Component& component = host.component("loss", "contrast");
  CHECK(component.sentence == "InfoNCE against all rows.");
  test::Loss loss(host.run, component.create("temperature = 1.0"));
  CHECK(loss.rank_reduction() == VISSL_REDUCTION_JOINED);
  // Rows at right angles: each similarity is 1 with itself and 0 with the other.
  const Tensor z = tensor({2, 0, 0, 5}, {2, 2});
  const double wanted = std::log(1 + std::exp(-1.0));
  CHECK_CLOSE(loss({z}, test::labels({0, 1})), {wanted}, 1e-12, 0);
  CHECK(host.run.loss_values.at("positives") == doctest::Approx(0.5));

  host.run.model.store.add(
      [] {
        vissl_store_spec spec = {};
        spec.size = sizeof spec;
        spec.name = str("w");
        spec.dtype = VISSL_F32;
        spec.init = VISSL_INIT_CONSTANT;
        spec.a = 4;
        return spec;
      }(),
      false);
  host.run.model.forward = [](test::FakeModel& model, const std::vector<Tensor>& in,
                              const std::vector<std::string>&) {
    return std::vector<Tensor>{in[0] * model.store.at("w")};
  };
  host.run.record["data"] = {tensor({1, 2, 3, 4}, {2, 2})};
  loss.fire(Event::start);
  host.run.model.store.set("w", {8});
  loss.fire(Event::update);
  CHECK(host.run.twins.size() == 1);
  CHECK(host.run.twins[0]->state_path == "loss.key_encoder");
  CHECK_CLOSE(loss.store.at("queue"), {5, 10, 15, 20}, 1e-12, 0);
  CHECK_THROWS_WITH_AS(loss.fire(Event::step), "contrast does not listen to event 6", Failure);
  CHECK(loss.instance().save() == std::string("\1\0\0\0\0\0\0\0", 8));

  CHECK_THROWS_WITH_AS(loss({z, z}, test::labels({0, 1})),
                       "the loss takes one output of the model, but the heads give 2", Failure);
  test::Loss sum(host.run, host.component("loss", "sum").create());
  CHECK(sum.rank_reduction() == VISSL_REDUCTION_MEAN_OVER_WORLD);
  CHECK_CLOSE(sum({z, z}), {14}, 0, 0);
  CHECK(test::event_mask_of(sum.instance()) == 0);
  CHECK_THROWS_WITH_AS(sum.instance().save(), "sum has no state", Failure);
}

TEST_CASE("loss: two ranks give the loss of the joined batch") {
  test::Host host;
  host.load_self();
  const test::Values rows = {1, 2, -1, 0.5, 3, 1, 0.2, -2};
  test::Loss one(host.run, host.component("loss", "contrast").create());
  const double joined = one({tensor(rows, {4, 2})}, test::labels({1, 0, 3, 2})).item<double>();
  const std::vector<Tensor> halves = test::on_ranks(host.run, 2, [&](int rank) {
    test::Loss loss(host.run, host.component("loss", "contrast").create());
    const auto from = rows.begin() + rank * 4;
    return loss({tensor(test::Values(from, from + 4), {2, 2})}, test::labels({1, 0}));
  });
  CHECK((halves[0].item<double>() + halves[1].item<double>()) / 2 == doctest::Approx(joined));
}

TEST_CASE("head: one input or several, one output or several") {
  test::Host host;
  host.load_self();
  test::Head linear(host.run, host.component("head", "linear").create("dims = [2, 3]"));
  CHECK(linear.in_channels() == 2);
  linear.store.set("clf.weight", {1, 0, 0, 1, 1, 1});
  linear.store.set("clf.bias", {0, 0, 0.5});
  const std::vector<Tensor> out = linear({tensor({2, 3}, {1, 2})});
  REQUIRE(out.size() == 1);
  CHECK_CLOSE(out[0], {2, 3, 5.5}, 1e-12, 0);
  CHECK(linear.store.entries()[1].spec.role == VISSL_ROLE_BIAS);
  CHECK_THROWS_WITH_AS(linear({out[0], out[0]}), "the head takes one feature, but it is given 2",
                       Failure);
  test::Head two(host.run, host.component("head", "two").create());
  CHECK(two.in_channels() == -1);
  CHECK_CLOSE(two({tensor({1}), tensor({5})}, true)[0], {2}, 0, 0);
  CHECK_CLOSE(two({tensor({1}), tensor({5})}, false)[0], {1}, 0, 0);
}

TEST_CASE("trunk: features come in request order, and nothing later is computed") {
  test::Host host;
  host.load_self();
  test::Trunk net(host.run, host.component("trunk", "net").create());
  CHECK(net.features() == std::vector<std::string>{"a", "b", "c"});
  CHECK(net.channels("a") == 3);
  const Tensor x = tensor({1});
  const std::vector<Tensor> out = net(x, {"b", "a", "b"});
  CHECK_CLOSE(cat(out), {4, 2, 4}, 0, 0);
  CHECK_CLOSE(net(x)[0], {40}, 0, 0);
  CHECK_THROWS_WITH_AS(net(x, {"a", "d"}), "the trunk has no feature 'd'; it has a, b, c", Failure);
  CHECK_THROWS_WITH_AS(net(x, {"c"}, false), "the trunk did not compute its feature 'c'", Failure);
}

TEST_CASE("optimizer: hyper-parameters, state and norms") {
  test::Host host;
  host.load_self();
  test::Optimizer sgd(host.component("optimizer", "sgd").create("momentum = 0.5"));
  CHECK(sgd.hypers()[0].first == "lr");
  CHECK(std::isnan(sgd.hypers()[0].second));
  CHECK(sgd.hypers()[1] == std::pair<std::string, double>("momentum", 0.5));
  const Tensor w = tensor({1, 2}), g = tensor({3, 4});
  const std::vector<test::Optimizer::Group> groups = {
      {{param("w", w, g), param("frozen", tensor({9}), Tensor())}, {0.1, 0.5}}};
  sgd.step(groups);
  CHECK_CLOSE(w, {0.7, 1.6}, 1e-12, 0);
  sgd.step(groups);
  CHECK_CLOSE(w, {0.25, 1.0}, 1e-12, 0);
  CHECK_CLOSE(sgd.state("w", "momentum_buffer"), {4.5, 6}, 1e-12, 0);
  CHECK_FALSE(sgd.state("frozen", "momentum_buffer").defined());
}

TEST_CASE("param_groups: groups, constants and schedules reach the host") {
  test::Host host;
  host.load_self();
  std::vector<test::RunParam> params = {param("w", tensor({1}), Tensor()),
                                        param("b", tensor({1}), Tensor()),
                                        param("frozen", tensor({1}), Tensor())};
  params[1].role = VISSL_ROLE_BIAS;
  params[2].trainable = false;
  CHECK(test::assign_groups(host.component("param_groups", "by_role").create(), params,
                            host.keep(test::parse_toml("weight_decay = 1e-4"))) ==
        std::vector<std::string>{"decayed: weight_decay = 0.0001; w",
                                 "plain: lr = lr_head * 0.5; b"});
}

TEST_CASE("meter: counts are summed by the host and the value is JSON") {
  test::Host host;
  host.load_self();
  test::Meter meter(host.component("meter", "accuracy").create());
  meter.update({tensor({1, 0, 0, 1, 1, 0}, {3, 2})}, test::labels({0, 1, 1}));
  CHECK(meter.counters() == std::vector<double>{2, 3});
  meter.set_counters({3, 4});
  CHECK(meter.value() == R"({"top_1": {"0": 75}, "text": "a\"b", "list": [1, true, null]})");
  meter.reset();
  CHECK(meter.counters() == std::vector<double>{0, 0});
}

TEST_CASE("hook: gradients, extras and stop") {
  test::Host host;
  host.load_self();
  const test::Instance clip = host.component("hook", "clip").create("max_norm = 2.5");
  host.run.params = {param("w", tensor({0}), tensor({3})),
                     param("unused", tensor({0}), tensor({4}))};
  test::fire(host.run, clip, Event::backward);
  CHECK(host.run.extras.at("norm") == doctest::Approx(5));
  CHECK_CLOSE(host.run.params[0].grad, {1.5}, 1e-6, 0);
  CHECK(host.run.params[1].dropped);
  CHECK_FALSE(host.run.stopped.has_value());
  CHECK(host.run.extras.count("lr") == 0);
  host.run.hypers["lr"] = {0.1, 0.2};
  host.run.counters.iteration = 7;
  test::fire(host.run, clip, Event::backward);
  CHECK(host.run.stopped->second == "enough");
  CHECK(host.run.extras.at("lr") == 0.2);
}

TEST_CASE("engine: a pass sees every sample of the rank once, in order") {
  test::Host host;
  host.load_self();
  test::FakeSplit& split = host.run.splits["test"];
  split.length = 6;
  split.features["res5"] = tensor({1, 2, 3, 4, 5, 6}, {6, 1});
  split.labels = {0, 0, 0, 1, 1, 1};
  split.paths = {"a", "b", "c", "d", "e", "f"};
  const test::Instance engine = host.component("engine", "neighbours").create();
  test::run_engine(host.run, engine);
  CHECK(host.run.summary.at("total") == 21);
  CHECK(host.run.logs.back().second == "passed 6 of f");
  host.run.facts.rank = 1;
  host.run.facts.world = 4;
  test::run_engine(host.run, engine);
  CHECK(host.run.summary.at("total") == 8);
  CHECK(host.run.scalars.size() == 2);
  split.features.clear();
  CHECK_THROWS_WITH_AS(test::run_engine(host.run, engine), "the split has no feature 'res5'",
                       Failure);
}

}  // namespace

VISSL_LOSS(Contrast, "contrast", "InfoNCE against all rows.")
VISSL_LOSS(Sum, "sum", "Sum of two outputs.")
VISSL_HEAD(LinearHead, "linear", "One linear layer.")
VISSL_HEAD(TwoHeads, "two", "Two inputs, two outputs.")
VISSL_TRUNK(Net, "net", "Three features.")
VISSL_OPTIMIZER(Sgd, "sgd", "Gradient descent with momentum.")
VISSL_PARAM_GROUPS(Groups, "by_role", "Biases apart.")
VISSL_METER(Accuracy, "accuracy", "Share of right answers.")
VISSL_HOOK(Clip, "clip", "Clips gradients.")
VISSL_ENGINE(Neighbours, "neighbours", "Sums features.")
