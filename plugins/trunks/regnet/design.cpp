#include "design.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

using namespace vissl;

namespace regnet {
namespace {

// What the widths of a network are made from: block i would have w_0 + i w_a channels; it takes
// the nearest power w_0 w_m^k, moved to a multiple of 8.
struct Rule {
  std::int64_t depth, w_0;
  double w_a, w_m;
  std::int64_t group_width;
};

enum class Family { x, y, z };
struct Variant {
  const char* name;
  Family family;
  Rule rule;
};
constexpr Variant kVariants[] = {
    {"regnet_y_400mf", Family::y, {16, 48, 27.89, 2.09, 8}},
    {"regnet_y_800mf", Family::y, {14, 56, 38.84, 2.4, 16}},
    {"regnet_y_1.6gf", Family::y, {27, 48, 20.71, 2.65, 24}},
    {"regnet_y_3.2gf", Family::y, {21, 80, 42.63, 2.66, 24}},
    {"regnet_y_8gf", Family::y, {17, 192, 76.82, 2.19, 56}},
    {"regnet_y_16gf", Family::y, {18, 200, 106.23, 2.48, 112}},
    {"regnet_y_32gf", Family::y, {20, 232, 115.89, 2.53, 232}},
    {"regnet_y_64gf", Family::y, {20, 352, 147.48, 2.4, 328}},
    {"regnet_y_128gf", Family::y, {27, 456, 160.83, 2.52, 264}},
    {"regnet_y_256gf", Family::y, {27, 640, 124.47, 2.04, 848}},
    {"regnet_x_400mf", Family::x, {22, 24, 24.48, 2.54, 16}},
    {"regnet_x_800mf", Family::x, {16, 56, 35.73, 2.28, 16}},
    {"regnet_x_1.6gf", Family::x, {18, 80, 34.01, 2.25, 24}},
    {"regnet_x_3.2gf", Family::x, {25, 88, 26.31, 2.25, 48}},
    {"regnet_x_8gf", Family::x, {23, 80, 49.56, 2.88, 120}},
    {"regnet_x_16gf", Family::x, {22, 216, 55.59, 2.1, 128}},
    {"regnet_x_32gf", Family::x, {23, 320, 69.86, 2.0, 168}},
    {"regnet_z_500mf", Family::z, {21, 16, 10.7, 2.51, 4}},
    {"regnet_z_4gf", Family::z, {28, 48, 14.5, 2.226, 8}},
};

constexpr double kWidest = 1e6;  // channels; what is wider is a mistake in the config

using Keys = std::vector<const char*>;
const Keys& rule_keys() {
  static const Keys keys = {"depth", "w_0", "w_a", "w_m", "group_width"};
  return keys;
}
const Keys& list_keys() {
  static const Keys keys = {"depths", "widths", "group_widths", "bottleneck_multipliers",
                            "strides"};
  return keys;
}

std::int64_t whole(double x) {
  return static_cast<std::int64_t>(x);
}

std::vector<Stage> stages_of(const Rule& rule, double bottleneck) {
  if (rule.w_0 < 8 || rule.w_0 % 8 != 0)
    fail(VISSL_E_CONFIG,
         "'w_0' of regnet is " + std::to_string(rule.w_0) + "; it must be a multiple of 8");
  if (rule.depth < 1 || rule.group_width < 1 || !(rule.w_a >= 0.0) || !(rule.w_m > 1.0) ||
      !(bottleneck > 0.0))
    fail(VISSL_E_CONFIG,
         "regnet needs 'depth' and 'group_width' of 1 or more, 'w_a' of 0 or more, 'w_m' above 1 "
         "and 'bottleneck_multiplier' above 0");
  std::vector<Stage> stages;
  std::int64_t previous = 0;
  for (std::int64_t i = 0; i < rule.depth; ++i) {
    const auto first = static_cast<double>(rule.w_0);
    const double line = static_cast<double>(i) * rule.w_a + first;
    const double power = std::nearbyint(std::log(line / first) / std::log(rule.w_m));
    const double exact = first * std::pow(rule.w_m, power);
    if (!(exact * bottleneck < kWidest))
      fail(VISSL_E_CONFIG, "block " + std::to_string(i) + " of regnet would be wider than " +
                               std::to_string(whole(kWidest)) +
                               " channels; lower 'w_a', 'w_0' or 'bottleneck_multiplier'");
    const std::int64_t width = 8 * nearest(exact / 8.0);
    if (width != previous) stages.push_back({0, width, rule.group_width, 2, bottleneck});
    previous = width;
    ++stages.back().depth;
  }
  for (Stage& stage : stages) {  // inner widths become multiples of the group's
    const std::int64_t inner = whole(static_cast<double>(stage.width) * bottleneck);
    if (inner < 1) fail(VISSL_E_CONFIG, "'bottleneck_multiplier' of regnet leaves no channel");
    stage.group_width = std::min(stage.group_width, inner);
    const auto group = static_cast<double>(stage.group_width);
    const std::int64_t fitting = nearest(static_cast<double>(inner) / group) * stage.group_width;
    stage.width = whole(static_cast<double>(fitting) / bottleneck);
  }
  return stages;
}

bool has_any(const Config& c, const Keys& keys) {
  return std::any_of(keys.begin(), keys.end(), [&](const char* key) { return c.has(key); });
}
void require_all(const Config& c, const Keys& keys, const std::string& beside) {
  for (const char* key : keys) {
    if (!c.has(key))
      fail(VISSL_E_CONFIG, "'" + std::string(key) + "' of regnet is missing; " + beside);
  }
}
void refuse(const Config& c, const Keys& keys, const std::string& why) {
  for (const char* key : keys) {
    if (c.has(key))
      fail(VISSL_E_CONFIG, "'" + std::string(key) + "' of regnet cannot be given here: " + why);
  }
}

std::vector<Stage> stages_of_lists(const Config& c) {
  refuse(c, rule_keys(), "variant = \"anynet\" reads lists instead");
  refuse(c, {"bottleneck_multiplier"}, "variant = \"anynet\" reads 'bottleneck_multipliers'");
  require_all(c, list_keys(), "variant = \"anynet\" needs it");
  const auto depths = c.integers("depths"), widths = c.integers("widths");
  const auto groups = c.integers("group_widths"), strides = c.integers("strides");
  const auto bottlenecks = c.numbers("bottleneck_multipliers");
  const std::size_t count = depths.size();
  if (count == 0 || widths.size() != count || groups.size() != count || strides.size() != count ||
      bottlenecks.size() != count) {
    fail(VISSL_E_CONFIG,
         "'depths', 'widths', 'group_widths', 'bottleneck_multipliers' and 'strides' of regnet "
         "need one value per stage each");
  }
  std::vector<Stage> stages;
  for (std::size_t i = 0; i < count; ++i)
    stages.push_back({depths[i], widths[i], groups[i], strides[i], bottlenecks[i]});
  return stages;
}

const Variant& find(const std::string& name) {
  for (const Variant& variant : kVariants)
    if (name == variant.name) return variant;
  fail(VISSL_E_CONFIG, "regnet has no variant '" + name + "'");
}

}  // namespace

std::int64_t nearest(double x) {
  return whole(std::nearbyint(x));
}

void declare(Params& p) {
  p.vissl_prefix("MODEL.TRUNK.REGNET");
  Choices choices;
  for (const Variant& variant : kVariants) choices.values.push_back(variant.name);
  choices.values.push_back("anynet");
  p.string("variant", optional, choices,
           "A known network, or anynet for one from lists. Without it depth, w_0, w_a, w_m and "
           "group_width say the network; without these too it is regnet_y_400mf.")
      .vissl("MODEL.TRUNK.REGNET.name");
  p.integer("depth", optional, between(1, 1000), "Blocks of all stages.");
  p.integer("w_0", optional, at_least(8), "Width of the first block, a multiple of 8.");
  p.number("w_a", optional, at_least(0.0), "Channels that each block would add to the one before.");
  p.number("w_m", optional, above(1.0), "Widths are w_0 times powers of this.");
  p.integer("group_width", optional, at_least(1), "Channels of a group of the 3x3 convolutions.");
  p.number("bottleneck_multiplier", optional, above(0.0),
           "Inner width of a block by its width: 4 for regnet_z, else 1.");
  p.integers("depths", optional, between(1, 1000), "Blocks of each stage of anynet.");
  p.integers("widths", optional, at_least(1), "Width of each stage of anynet.");
  p.integers("group_widths", optional, at_least(1), "Channels of a group in each stage of anynet.");
  p.numbers("bottleneck_multipliers", optional, above(0.0),
            "Inner width by width in each stage of anynet.");
  p.integers("strides", optional, at_least(1), "Stride of each stage of anynet.");
  p.string("stem_type", "simple_stem_in", one_of("simple_stem_in", "res_stem_in", "res_stem_cifar"),
           "First layers: 3x3 of stride 2, 7x7 of stride 2 with a max pool, or 3x3 of stride 1.");
  p.integer("stem_width", 32, at_least(1), "Channels of the first convolution.");
  p.string("block_type", optional,
           one_of("res_bottleneck_block", "res_bottleneck_linear_block", "res_basic_block",
                  "vanilla_block"),
           "Kind of block: res_bottleneck_linear_block for regnet_z, else res_bottleneck_block.");
  p.string("activation", optional, one_of("relu", "silu"), "silu for regnet_z, else relu.");
  p.boolean("use_se", optional,
            "Squeeze and excitation in bottlenecks: false for regnet_x, else true.");
  p.number("se_ratio", 0.25, above(0.0),
           "Inner width of squeeze and excitation by the width of the block's input.");
  p.number("bn_epsilon", 1e-5, above(0.0), "Added to the variance in batch norm.");
  p.number("bn_momentum", 0.1, between(0.0, 1.0), "Weight of a batch in the running statistics.");
}

Design read(const Config& c) {
  Design design;
  std::optional<Family> family;
  if (c.has("variant") && c.string("variant") == "anynet") {
    design.stages = stages_of_lists(c);
  } else {
    refuse(c, list_keys(), "only variant = \"anynet\" reads it");
    Rule rule{};
    if (c.has("variant") || !has_any(c, rule_keys())) {
      refuse(c, rule_keys(), "'variant' says it already");
      const Variant& known = find(c.has("variant") ? c.string("variant") : kVariants[0].name);
      rule = known.rule;
      family = known.family;
    } else {
      require_all(c, rule_keys(), "depth, w_0, w_a, w_m and group_width belong together");
      rule = {c.integer("depth"), c.integer("w_0"), c.number("w_a"), c.number("w_m"),
              c.integer("group_width")};
    }
    const double usual = family == Family::z ? 4.0 : 1.0;
    design.stages =
        stages_of(rule, c.has("bottleneck_multiplier") ? c.number("bottleneck_multiplier") : usual);
  }
  const bool z = family == Family::z;
  design.stem = c.string("stem_type");
  design.stem_width = c.integer("stem_width");
  design.block = c.has("block_type") ? c.string("block_type")
                 : z                 ? "res_bottleneck_linear_block"
                                     : "res_bottleneck_block";
  design.silu = c.has("activation") ? c.string("activation") == "silu" : z;
  const bool excites = c.has("use_se") ? c.boolean("use_se") : family != Family::x;
  design.se_ratio = excites ? c.number("se_ratio") : 0.0;
  design.eps = c.number("bn_epsilon");
  design.momentum = c.number("bn_momentum");
  return design;
}

}  // namespace regnet
