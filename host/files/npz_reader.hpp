#pragma once
// numpy.savez: a zip file of .npy files.
#include "host/files/file_bytes.hpp"
#include "host/files/weights_file.hpp"
#include "host/files/zip_reader.hpp"

namespace vissl::host {

// Every entry is a .npy file, by its name.
bool is_npz(const ZipReader& zip);

// Fills tree: name without ".npy" -> tensor. Compressed arrays are inflated at first touch. An
// array that holds no numbers becomes an opaque node, with a warning. Throws Error(Exit::bad_data).
void read_npz(ZipReader zip, const FileBytes& file, const WeightsReadOptions& options,
              WeightsFile& out);

}  // namespace vissl::host
