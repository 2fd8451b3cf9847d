// What it writes depends on the runs before.
#include <vissl/engine.hpp>
#include <vissl/plugin.hpp>

#include <fstream>
static int g_runs = 0;
struct Broken {
  void run(vissl::Run& run) const {
    std::ofstream(std::string(vissl::view(run.facts().checkpoint_dir)) + "/result.txt") << ++g_runs;
  }
};
VISSL_ENGINE(Broken, "engine_draws_anew", "Writes a number.")
VISSL_PLUGIN("org.example.engine_draws_anew", "1.0.0")
