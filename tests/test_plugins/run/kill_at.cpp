// A hook that ends the process by SIGKILL, or sends itself another signal, at the iteration that a
// file names; on every rank, or on the one that the file names. Signal 0 is an error instead, -N
// stands still for N seconds while the process lives. With the word "loss" it acts within the step,
// between loss and backward. Iteration -1 is an error of the config while the rank makes the hook.
// The file is no part of the config, so that disturbed and undisturbed runs have the same one.
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include <vissl/hook.hpp>
#include <vissl/plugin.hpp>

using namespace vissl;

struct KillAt {
  std::string file;
  static void params(Params& p) {
    p.string("file", required,
             "Holds \"ITERATION SIGNAL [RANK [loss]]\"; without the file nothing happens.");
  }
  explicit KillAt(const Config& c) : file(c.string("file")) {
    std::ifstream in(file);
    std::int64_t iteration = 0;
    int number = 0;
    std::string rank;
    const char* own = std::getenv("RANK");
    if (in >> iteration >> number >> rank && iteration == -1 && own != nullptr && rank == own)
      fail(VISSL_E_CONFIG, "the file asks to refuse the config here");
  }
  static constexpr auto events = event_mask(Event::loss_and_meter, Event::step);
  void on_event(Event event, Run& run) {
    std::ifstream in(file);
    std::int64_t iteration = -1, rank = -1;
    int number = 0;
    if (!(in >> iteration >> number) || run.counters().training == 0 ||
        run.counters().iteration != iteration)
      return;
    if (in >> rank && rank != run.facts().rank) return;
    std::string where;
    in >> where;
    if ((event == Event::loss_and_meter) != (where == "loss")) return;
    if (number == 0) fail("the file asks to fail here");
    if (number < 0) return std::this_thread::sleep_for(std::chrono::seconds(-number));
    std::raise(number);
  }
};

VISSL_HOOK(KillAt, "kill_at", "Raises a signal at an iteration.")
VISSL_PLUGIN("org.vissl.test.kill_at", "1.0.0")
