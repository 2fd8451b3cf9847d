#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace remote {

// Why the first bytes of an answer cannot be those of weights: a web page, a pointer of Git LFS; an
// empty text when they may be. `begin` holds at most the first kilobyte.
std::string not_a_file(std::string_view begin);

// Whether the file begins as a zip archive and lacks its end.
bool is_cut_archive(const std::string& path);

}  // namespace remote
