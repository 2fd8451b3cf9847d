#pragma once
// Reads a safetensors file: a JSON header and one buffer.
#include "host/files/file_bytes.hpp"
#include "host/files/weights_file.hpp"

namespace vissl::host {

// Fills tree (name -> tensor, in the header's order), metadata and warnings. A tensor of an element
// type that torch lacks becomes an opaque node, with a warning. Throws Error(Exit::bad_data) if the
// header is not valid or the tensors do not fill the buffer without holes and overlaps.
void read_safetensors(const FileBytes& file, WeightsFile& out);

}  // namespace vissl::host
