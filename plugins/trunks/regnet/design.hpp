#pragma once
// What a config says of a RegNet or AnyNet: its stages and the kind of its layers.
#include <vissl/params.hpp>
#include <vissl/value.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace regnet {

// Blocks of one width. The first one has the stride; the inner width of each is
// width * bottleneck, in groups of group_width channels.
struct Stage {
  std::int64_t depth, width, group_width, stride;
  double bottleneck;
};

struct Design {
  std::vector<Stage> stages;
  std::string stem, block;  // VISSL's stem_type and block_type
  std::int64_t stem_width = 32;
  bool silu = false;      // else ReLU
  double se_ratio = 0.0;  // 0: no squeeze and excitation
  double eps = 1e-5, momentum = 0.1;
};

void declare(vissl::Params& p);
// Throws Failure (VISSL_E_CONFIG) for parameters that contradict each other or make no network.
Design read(const vissl::Config& c);

// To the nearest integer, halves to the even one, as Python and numpy round.
std::int64_t nearest(double x);

}  // namespace regnet
