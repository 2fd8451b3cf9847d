#pragma once
// A file of weights that somebody compressed.
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace vissl::host {

// Inflates all members of a gzip file into memory. At most 200 times the size of the file, beyond
// 16 MiB, so that a small hostile file takes no memory. Throws Error(Exit::bad_data) with `name`
// for what is damaged, cut off or larger.
std::shared_ptr<const std::vector<std::byte>> gunzip(std::span<const std::byte> file,
                                                     const std::string& name);

}  // namespace vissl::host
