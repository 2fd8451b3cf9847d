// Plugins that were built when the ABI was frozen (tests/golden_abi) run in this host as they ran
// then.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "process.hpp"
#include "temp_folder.hpp"

using namespace vissl::test;
namespace fs = std::filesystem;
using Json = nlohmann::json;

TEST_CASE(
    "golden ABI: a C transform and schedule, and a trunk, head, loss, optimizer, meter, engine and "
    "hook give their old results") {
  const TempFolder folder;
  const fs::path golden = fs::path(VISSL_SOURCE_DIR) / "tests" / "golden_abi";
  const Result result =
      run_host({"--plugins", VISSL_PLUGIN_DIR, "--plugins", golden.string(), "--config",
                (golden / "config.toml").string(), "checkpoint.dir=" + (folder / "run").string()},
               {}, std::chrono::seconds(60));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  const Json now = Json::parse(read_file(folder / "run" / "summary.json"));
  const Json then = Json::parse(read_file(golden / "results.json"));
  CHECK(then.size() == 13);
  for (const auto& [key, value] : then.items()) {
    INFO(key);
    REQUIRE(now.contains(key));
    CHECK(now[key].get<double>() == doctest::Approx(value.get<double>()).epsilon(1e-4));
  }
  CHECK(read_file(folder / "run" / "metrics.json").find("\"golden\":{\"features\":") !=
        std::string::npos);
}
