#pragma once
// Heads of more than one linear layer, as VISSL and ClassyVision name them.
#include <vissl/weights.hpp>

#include <string>
#include <unordered_map>
#include <vector>

namespace pretrained {

struct HeadName {
  std::string name;    // of the other system, without the place of its heads; empty: it has none
  std::string reason;  // then
};
using HeadNames = std::unordered_map<std::uint64_t, HeadName>;  // by the entry's number

// VISSL's "{h}.clf.{i}." as ClassyVision's "block3-2.default_head.mlp.layers.{k}.", the last layer
// as its "embedding_fc."; nothing for a single linear layer. `place`: where the heads stand.
HeadNames vissl_to_classy(const std::vector<vissl::WeightsEntry>& source, const std::string& place);
// And back: layer k is VISSL's head k, of one linear layer and its batch norm.
HeadNames classy_to_vissl(const std::vector<vissl::WeightsEntry>& source, const std::string& place);

}  // namespace pretrained
