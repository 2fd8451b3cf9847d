#pragma once
// A batch for people: its images as a contact sheet, its fields as a table.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "host/boundary.hpp"
#include "host/data/pixel/image.hpp"
#include "host/data/settings.hpp"

namespace vissl::host {

// One row per sample, one column per view; the views of a sample are the rows i, i + B, i + 2B … of
// each field of images (1 or 3 channels), as the collators for views lay them out. Values are
// brought back by undoing each transform of the split that has a `mean` and a `std`, then clipped
// to 0 … 1. Throws Error(run_failed) for a batch without images.
pixel::Pixels contact_sheet(const Batch& batch, const SplitSettings& split, std::int64_t samples);

// The contact sheet of at most eight samples as PNG bytes, scaled up until a person can see
// something in small pictures: for views.png and `show batch`.
std::string batch_sheet(const Batch& batch, const SplitSettings& split);

// The first element of images as numpy's file, in the batch's shape and type. Throws
// Error(run_failed) for a batch without images, and when the file cannot be written.
void write_images_npy(const std::filesystem::path& path, const Batch& batch);

// "data  float32  (8, 3, 32, 32)  -2.1  2.6" per element, with a head line; columns are aligned.
std::string field_table(const Batch& batch);

}  // namespace vissl::host
