// A hook that stops a run at an iteration until a file appears, so that a test can act upon the run
// in the middle of an epoch. The iteration is no part of the config, so that disturbed and
// undisturbed runs have the same one.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include <vissl/hook.hpp>
#include <vissl/plugin.hpp>

using namespace vissl;

struct WaitAt {
  std::string folder;
  static void params(Params& p) {
    p.string(
        "folder", required,
        "The hook waits at the iteration that FOLDER/iteration names until FOLDER/go exists, and "
        "makes FOLDER/waiting meanwhile; while FOLDER/slowly exists each step takes a second "
        "more. Without those files nothing happens.");
  }
  explicit WaitAt(const Config& c) : folder(c.string("folder")) {}
  static constexpr auto events = event_mask(Event::step);
  void on_event(Event, Run& run) {
    namespace fs = std::filesystem;
    if (run.counters().training == 0) return;
    if (fs::exists(folder + "/slowly")) std::this_thread::sleep_for(std::chrono::seconds(1));
    std::ifstream in(folder + "/iteration");
    std::int64_t iteration = -1;
    if (!(in >> iteration) || run.counters().iteration != iteration) return;
    std::ofstream(folder + "/waiting") << iteration;
    for (int tenths = 0; tenths < 600 && !fs::exists(folder + "/go"); ++tenths)
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
};

VISSL_HOOK(WaitAt, "wait_at", "Stops the run at an iteration until a file appears.")
VISSL_PLUGIN("org.vissl.test.wait_at", "1.0.0")
