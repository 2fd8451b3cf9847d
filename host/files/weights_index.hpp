#pragma once
// The JSON file that lists in which file each tensor of a large model stands.
#include "host/files/file_bytes.hpp"
#include "host/files/weights_file.hpp"

namespace vissl::host {

// Reads all files that the index names, which lie beside it, into one tree. Throws
// Error(Exit::bad_data) if a name leads elsewhere, a file or a listed tensor is missing, or a
// tensor stands in two files; also for JSON of any other kind.
void read_weights_index(const FileBytes& index, const WeightsReadOptions& options,
                        WeightsFile& out);

}  // namespace vissl::host
