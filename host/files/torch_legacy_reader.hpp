#pragma once
// Reads the stream that torch.save wrote before release 1.6: five pickles, then the storages.
#include "host/files/file_bytes.hpp"
#include "host/files/torch_objects.hpp"
#include "host/files/weights_file.hpp"

namespace vissl::host {

// Fills tree and warnings. The sizes in front of the storages are read, the data is not. Throws
// Error(Exit::bad_data).
void read_torch_legacy(const FileBytes& file, const WeightsReadOptions& options, WeightsFile& out);

// The storage that such a stream holds alone, as a tensor of one dimension: what pickle.dump makes
// of a tensor's storage. Throws Error(Exit::bad_data) for anything else.
TensorRef read_torch_legacy_storage(const FileBytes& file, const TorchObjectOptions& options);

}  // namespace vissl::host
