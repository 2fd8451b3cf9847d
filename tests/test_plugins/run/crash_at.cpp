// A loss and a transform that crash, each at a place that the config names.
#include <csignal>
#include <cstdlib>

#include <vissl/loss.hpp>
#include <vissl/plugin.hpp>
#include <vissl/transform.hpp>

using namespace vissl;

struct CrashAt {
  std::int64_t iteration;
  std::string where;
  static void params(Params& p) {
    p.integer("iteration", required, "The step of the crash.");
    p.string("where", "forward", one_of("forward", "update", "abort"), "The place of the crash.");
  }
  explicit CrashAt(const Config& c) : iteration(c.integer("iteration")), where(c.string("where")) {}

  void crash() const {
    if (where == "abort") std::abort();
    std::raise(SIGSEGV);
  }
  Tensor forward(const LossCall& call, const Tensor& output, const Tensor&) const {
    if (where != "update" && call.run().counters().iteration == iteration) crash();
    return (output * output).mean();
  }
  static constexpr auto events = event_mask(Event::update);
  void on_event(Event, Run& run) const {
    if (where == "update" && run.counters().iteration == iteration) crash();
  }
};

struct CrashingTransform {
  explicit CrashingTransform(const Config&) {}
  void apply(Image&, Rng&) const { *static_cast<volatile int*>(nullptr) = 0; }
};

VISSL_LOSS(CrashAt, "crash_at", "Crashes at an iteration.")
VISSL_TRANSFORM(CrashingTransform, "crashing_transform", "Crashes at the first image.")
VISSL_PLUGIN("org.vissl.test.crash_at", "1.2.3")
