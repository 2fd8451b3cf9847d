#pragma once
// VISSL's checkpoint of one file per parameter, which a reader can take one tensor at a time.
#include <filesystem>

#include "host/weights/container.hpp"

namespace vissl::host {

// The folder beside `path` that the slices go to: "a.torch" has "a_layers".
std::filesystem::path slices_folder(const std::filesystem::path& path);

// Writes the trunk and the heads of a checkpoint with classy_state_dict.base_model.model, each
// tensor into a file of its own, and then the list of them to `path`; each file in one step. All
// else of the checkpoint is left out and listed. Throws Error(Exit::usage) for another kind of
// file, Error(Exit::bad_data) for two tensors of one dotted path; `name` is the file's, for
// messages.
Contents write_slices(const std::filesystem::path& path, const WeightsFile& file,
                      const std::string& name);

}  // namespace vissl::host
