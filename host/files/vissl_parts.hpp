#pragma once
// VISSL's checkpoints of several files: a list of one shard per rank, and of one slice per
// parameter.
#include <filesystem>

#include "host/files/weights_file.hpp"

namespace vissl::host {

// If the tree is such a list ("type" is shard_list or slice_list), replaces its
// classy_state_dict/base_model/model by the joined weights, as a consolidated checkpoint has them:
// trunk and heads with their plain names. format becomes "vissl_shard_list" or "vissl_slice_list".
// Flattened parameters are joined at first touch.
//
// The files are looked for beside `list`, the list's own file, then where the list says. Throws
// Error(Exit::bad_data) that names the part if one is missing or does not fit the others.
void join_vissl_parts(WeightsFile& file, const std::filesystem::path& list,
                      const WeightsReadOptions& options);

}  // namespace vissl::host
