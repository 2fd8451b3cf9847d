// The trunk regnet against ClassyVision's networks, restated in scripts/oracle/trunks_regnet.py
// and compared with timm's there.
#include <doctest/doctest.h>
#include <vissl/trunk.h>

#include "host/runtime/component_tests/trunk_parity.hpp"

using namespace vissl::host;
using namespace vissl::host::test;

namespace {

constexpr const char* kTiny =
    "depth = 3\nw_0 = 8\nw_a = 8.0\nw_m = 2.0\ngroup_width = 8\nstem_width = 8\n";

nlohmann::json regnet_case(const std::string& name) {
  return golden("regnet.json").at("cases").at(name);
}

}  // namespace

TEST_CASE("regnet: a RegNetY's features and gradients equal timm's and ClassyVision's") {
  check_case("regnet", regnet_case("y"));
}

TEST_CASE("regnet: a RegNetX with a large stem and a RegNetZ equal ClassyVision's") {
  check_case("regnet", regnet_case("x"));
  check_case("regnet", regnet_case("z"));
}

TEST_CASE("regnet: anynet with bottlenecks, basic and vanilla blocks equals ClassyVision's") {
  for (const std::string name : {"anynet", "basic", "vanilla"}) {
    CAPTURE(name);
    nlohmann::json expected = regnet_case(name);
    expected.at("options")["variant"] = "anynet";
    check_case("regnet", expected);
  }
}

TEST_CASE("regnet: known variants have as many parameters as timm's") {
  for (const nlohmann::json& known : golden("regnet.json").at("counts")) {
    CAPTURE(known.dump());
    CHECK(count_parameters("regnet", toml_of(known.at("options"))) ==
          known.at("parameters").get<std::int64_t>());
  }
}

TEST_CASE("regnet: without parameters it is regnet_y_400mf, and its stages have known widths") {
  CHECK(count_parameters("regnet", "") ==
        count_parameters("regnet", "variant = \"regnet_y_400mf\""));
  ComponentHost host;
  const auto widths = [&](const std::string& variant) {
    const Instance instance = host.create("trunk", "regnet", "variant = \"" + variant + "\"");
    const auto& table = instance.table<vissl_trunk_class>(VISSL_TRUNK_ID);
    std::vector<std::int64_t> out;
    for (const std::string feature : {"res2", "res3", "res4", "res5"})
      out.push_back(table.feature_channels(instance.handle(), {feature.data(), feature.size()}));
    return out;
  };
  using Widths = std::vector<std::int64_t>;
  CHECK(widths("regnet_y_400mf") == Widths{48, 104, 208, 440});
  CHECK(widths("regnet_y_800mf") == Widths{64, 128, 320, 768});
  CHECK(widths("regnet_y_1.6gf") == Widths{48, 120, 336, 888});
  CHECK(widths("regnet_y_3.2gf") == Widths{72, 216, 576, 1512});
  CHECK(widths("regnet_y_8gf") == Widths{168, 448, 896, 2016});
  CHECK(widths("regnet_y_16gf") == Widths{224, 448, 1232, 3024});
  CHECK(widths("regnet_y_32gf") == Widths{232, 696, 1392, 3712});
  CHECK(widths("regnet_y_64gf") == Widths{328, 984, 1968, 4920});
  CHECK(widths("regnet_y_128gf") == Widths{528, 1056, 2904, 7392});
  CHECK(widths("regnet_y_256gf") == Widths{640, 1696, 2544, 5088});
  CHECK(widths("regnet_z_500mf") == Widths{16, 40, 104, 256});
  CHECK(widths("regnet_z_4gf") == Widths{48, 104, 240, 528});
  const std::pair<const char*, std::int64_t> last[] = {
      {"regnet_x_400mf", 384},  {"regnet_x_800mf", 672}, {"regnet_x_1.6gf", 912},
      {"regnet_x_3.2gf", 1008}, {"regnet_x_8gf", 1920},  {"regnet_x_16gf", 2048},
      {"regnet_x_32gf", 2520}};
  for (const auto& [variant, width] : last) CHECK(widths(variant).back() == width);
}

TEST_CASE("regnet: features come in request order, with VISSL's names alone") {
  ComponentHost host;
  Built trunk(host, "trunk", "regnet", kTiny, 3);
  const at::Tensor image = wave({2, 3, 32, 32}, 0.0);
  const auto features = trunk.trunk(image, {"flatten", "conv1", "res3", "conv1"}, false);
  CHECK(features[0].sizes() == at::IntArrayRef{2, 32});
  CHECK(features[2].size(1) == 16);
  CHECK(distance(features[1], features[3]) == 0.0);
  CHECK(distance(trunk.trunk(image, {}, false)[0], features[0]) == 0.0);
  CHECK(error_text([&] { trunk.trunk(image, {"res5avg"}, false); }) ==
        "the trunk has no feature 'res5avg'; it has conv1, res2, res3, res4, avgpool, flatten");
}

TEST_CASE("regnet: configs that contradict themselves are refused") {
  ComponentHost host;
  const auto error_of = [&](const std::string& toml) {
    return error_text([&] { Built(host, "trunk", "regnet", toml); });
  };
  CHECK(error_of("depth = 3") ==
        "'w_0' of regnet is missing; depth, w_0, w_a, w_m and group_width belong together");
  CHECK(error_of("variant = \"regnet_y_8gf\"\nw_0 = 8") ==
        "'w_0' of regnet cannot be given here: 'variant' says it already");
  CHECK(error_of("depths = [1]") ==
        "'depths' of regnet cannot be given here: only variant = \"anynet\" reads it");
  CHECK(error_of("variant = \"anynet\"") ==
        "'depths' of regnet is missing; variant = \"anynet\" needs it");
  CHECK(error_of("variant = \"anynet\"\ndepth = 2") ==
        "'depth' of regnet cannot be given here: variant = \"anynet\" reads lists instead");
  const std::string lists =
      "variant = \"anynet\"\ngroup_widths = [8]\nstrides = [1]\nbottleneck_multipliers = [1.0]\n";
  CHECK(error_of(lists + "depths = [1]\nwidths = [8, 16]") ==
        "'depths', 'widths', 'group_widths', 'bottleneck_multipliers' and 'strides' of regnet need "
        "one value per stage each");
  CHECK(error_of(lists + "depths = [1]\nwidths = [21]") ==
        "regnet: an inner width of 21 channels does not divide into groups of 8");
  CHECK(error_of("depth = 3\nw_0 = 12\nw_a = 8.0\nw_m = 2.0\ngroup_width = 8") ==
        "'w_0' of regnet is 12; it must be a multiple of 8");
  CHECK(error_of("depth = 3\nw_0 = 8\nw_a = 1e9\nw_m = 2.0\ngroup_width = 8") ==
        "block 1 of regnet would be wider than 1000000 channels; lower 'w_a', 'w_0' or "
        "'bottleneck_multiplier'");
  CHECK(error_of(std::string(kTiny) + "se_ratio = 0.01") == "'se_ratio' leaves no channel of 8");
}
