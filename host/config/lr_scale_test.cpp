#include "host/config/lr_scale.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>
#include <string>

using namespace vissl::host;

TEST_CASE("auto_lr_scaling: factor and start of the warm-up are VISSL's for any ranks and nodes") {
  std::ifstream file(VISSL_SOURCE_DIR "/tests/golden/lr_scale.txt");
  REQUIRE(file.is_open());
  int setups = 0, dropped = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("#")) continue;
    CAPTURE(line);
    std::istringstream in(line);
    double base_value = 0;
    std::int64_t base_batch = 0, per_rank = 0, per_node = 0, nodes = 0;
    std::string law, factor, ramp;
    in >> base_value >> base_batch >> law >> per_rank >> per_node >> nodes >> factor >> ramp;
    REQUIRE(!in.fail());
    const StepBatch batch{per_rank * per_node * nodes, per_rank * per_node};
    const LrScale scale = lr_scale(base_value, base_batch, law == "sqrt", batch);
    CHECK(std::abs(scale.factor - std::stod(factor)) <= 1e-15 * scale.factor);
    CHECK(std::isnan(scale.ramp_from) == (ramp == "nan"));
    if (ramp != "nan") CHECK(std::abs(scale.ramp_from - std::stod(ramp)) <= 1e-15);
    dropped += ramp == "nan" ? 1 : 0;
    ++setups;
  }
  CHECK(setups >= 30);
  CHECK(dropped >= 10);
  CHECK(dropped <= setups - 10);
}
