// A plugin that crashes while a run uses it is named before the process dies of the crash.
#include <doctest/doctest.h>

#include <csignal>

#include "process.hpp"
#include "small_config.hpp"
#include "temp_folder.hpp"

using namespace vissl::test;

namespace {

Result crashed(const TempFolder& folder, std::vector<std::string> overrides) {
  write_file(folder / "run.toml", small_config(folder / "run"));
  overrides.push_back("optimizer.num_epochs=1");
  return run_host(run_arguments(folder / "run.toml", overrides));
}

}  // namespace

TEST_CASE("crash: the plugin, its method and the step are told, then the signal ends the process") {
  const std::string start = "error: plugin org.vissl.test.crash_at 1.2.3 crashed (";
  const TempFolder folder;
  const Result forward = crashed(folder, {"loss={ name = \"crash_at\", iteration = 3 }"});
  INFO(forward.err);
  CHECK(forward.signal == SIGSEGV);
  CHECK(forward.err.find(start + "SIGSEGV) in forward of loss 'crash_at' at iteration 3; report it "
                                 "to the plugin's author") != std::string::npos);
  const Result event =
      crashed(folder, {"loss={ name = \"crash_at\", iteration = 5, where = \"update\" }"});
  INFO(event.err);
  CHECK(event.signal == SIGSEGV);
  CHECK(event.err.find(start + "SIGSEGV) in on_event(UPDATE) of loss 'crash_at' at iteration 5") !=
        std::string::npos);
  const Result abort =
      crashed(folder, {"loss={ name = \"crash_at\", iteration = 7, where = \"abort\" }"});
  INFO(abort.err);
  CHECK(abort.signal == SIGABRT);
  const auto at = abort.err.find(start + "SIGABRT) in forward of loss 'crash_at' at iteration 7");
  REQUIRE(at != std::string::npos);
  CHECK(abort.err.find("crashed", at + start.size()) == std::string::npos);
}

TEST_CASE("crash: one in a data worker names the transform") {
  const TempFolder folder;
  const Result result =
      crashed(folder, {"data.train.transforms[0]={ name = \"crashing_transform\" }"});
  INFO(result.err);
  CHECK(result.signal == SIGSEGV);
  CHECK(result.err.find("error: plugin org.vissl.test.crash_at 1.2.3 crashed (SIGSEGV) in "
                        "apply_image of transform 'crashing_transform'") != std::string::npos);
}
