// Components of each kind that gets events: they write "who EVENT" lines into one file. Its hooks
// can also fail or stop the run after a train step.
#include <cstdio>
#include <string>

#include <vissl/head.hpp>
#include <vissl/hook.hpp>
#include <vissl/loss.hpp>
#include <vissl/optimizer.hpp>
#include <vissl/plugin.hpp>
#include <vissl/trunk.hpp>

using namespace vissl;

namespace {

constexpr const char* kNames[] = {"START",    "PHASE_START", "FORWARD", "LOSS_AND_METER",
                                  "BACKWARD", "UPDATE",      "STEP",    "PHASE_END",
                                  "END",      "EXCEPTION"};

class Teller {
 public:
  static void params(Params& p) { p.path("events_file", required, "Gets the lines."); }
  Teller(const Config& c, const char* who) : path_(c.string("events_file")), who_(who) {}
  static constexpr auto events = event_mask(
      Event::start, Event::phase_start, Event::forward, Event::loss_and_meter, Event::backward,
      Event::update, Event::step, Event::phase_end, Event::end, Event::exception);
  void on_event(Event event, Run&) const {
    std::FILE* file = std::fopen(path_.c_str(), "a");
    if (file == nullptr) fail("cannot open " + path_);
    std::fprintf(file, "%s %s\n", who_, kNames[static_cast<std::size_t>(event)]);
    std::fclose(file);
  }

 private:
  std::string path_;
  const char* who_;
};

struct TellingTrunk : Teller {
  nn::Conv2d conv;
  explicit TellingTrunk(const Config& c) : Teller(c, "trunk") {}
  void build(const nn::Scope& s, const RunFacts& facts) {
    conv = nn::Conv2d(s / "conv", facts.input_channels, 8, nn::Conv2d::square(3, 2));
  }
  std::vector<std::string> features() const { return {"flat"}; }
  void forward(const TrunkCall& call, Features& out) const {
    out.put("flat", conv(call.image()).relu().mean({2, 3}));
  }
};

struct TellingHead : Teller {
  nn::Linear clf;
  explicit TellingHead(const Config& c) : Teller(c, "head") {}
  void build(const nn::Scope& s) { clf = nn::Linear(s / "clf", 8, 4); }
  Tensor forward(const Tensor& x) const { return clf(x); }
};

struct TellingLoss : Teller {
  explicit TellingLoss(const Config& c) : Teller(c, "loss") {}
  Tensor forward(const Tensor& output, const Tensor& target) const {
    return cross_entropy_loss(output, target);
  }
};

struct TellingOptimizer : Teller {
  explicit TellingOptimizer(const Config& c) : Teller(c, "optimizer") {}
  std::vector<Hyper> hypers() const { return {{"lr", 0.1}}; }
  void step(const OptCall& call) const {
    for (const OptGroup& group : call.groups())
      for (const OptParam& p : group.params()) p.param().sub_(p.grad(), group.hyper(0));
  }
};

struct FirstHook : Teller {
  std::int64_t stop_at, exit_code, fail_at;
  static void params(Params& p) {
    Teller::params(p);
    p.integer("stop_at", -1, "Stops the run after this many train steps.");
    p.integer("exit_code", 0, "What the stopped run ends with.");
    p.integer("fail_at", -1, "Fails after this many train steps.");
  }
  explicit FirstHook(const Config& c)
      : Teller(c, "first"),
        stop_at(c.integer("stop_at")),
        exit_code(c.integer("exit_code")),
        fail_at(c.integer("fail_at")) {}
  void on_event(Event event, Run& run) const {
    Teller::on_event(event, run);
    const Counters now = run.counters();
    if (event != Event::step || now.training == 0) return;
    if (now.iteration == stop_at) run.stop(static_cast<int>(exit_code), "it was told to");
    if (now.iteration == fail_at) fail("it was told to fail");
  }
};

struct SecondHook : Teller {
  explicit SecondHook(const Config& c) : Teller(c, "second") {}
};

}  // namespace

VISSL_TRUNK(TellingTrunk, "telling_trunk", "Tells its events.")
VISSL_HEAD(TellingHead, "telling_head", "Tells its events.")
VISSL_LOSS(TellingLoss, "telling_loss", "Tells its events.")
VISSL_OPTIMIZER(TellingOptimizer, "telling_optimizer", "Tells its events.")
VISSL_HOOK(FirstHook, "first_telling_hook", "Tells its events; may stop or fail the run.")
VISSL_HOOK(SecondHook, "second_telling_hook", "Tells its events.")
VISSL_PLUGIN("org.vissl.test.tell_events", "1.0.0")
