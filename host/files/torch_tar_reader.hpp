#pragma once
// Reads the tar file that torch.save wrote before release 0.1.11: the members sys_info, pickle,
// tensors and storages.
#include "host/files/file_bytes.hpp"
#include "host/files/weights_file.hpp"

namespace vissl::host {

// Fills tree and warnings. Throws Error(Exit::bad_data), also for a tar file of other things.
void read_torch_tar(const FileBytes& file, const WeightsReadOptions& options, WeightsFile& out);

}  // namespace vissl::host
