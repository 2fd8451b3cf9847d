#pragma once
// Names of a file's tensors in another system's spelling, for vissl-host convert.
#include <vissl/weights.hpp>

namespace pretrained {

// Finds whose names the file has and where they begin, then writes them as the wanted system does:
// from its names to ours, from ours to the other's. Fails (VISSL_E_CONFIG) for unknown systems, for
// names that no system has, and for what the wanted system has no names for at all.
void convert(const vissl::WeightsRenames& renames);

}  // namespace pretrained
