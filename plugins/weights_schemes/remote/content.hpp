#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace remote {

// What a server gave in place of weights.
struct NotWeights {
  std::string what;    // "a web page"; empty = it may be weights
  std::string remedy;  // " instead of a file; …"
  explicit operator bool() const { return !what.empty(); }
};

// Judges by the first bytes: a web page, a pointer of Git LFS. `begin` holds at most the first
// kilobyte.
NotWeights not_a_file(std::string_view begin);

// Judges a whole file that was asked for as `name`: also an empty one, JSON, and text of less than
// 64 KiB, unless the name says that it is text ("model.safetensors.index.json", "x.yaml") or it is
// a pickle of text (protocol 0). What else it holds is the readers' matter, also of those that
// plugins bring.
NotWeights not_weights(const std::string& path, const std::string& name);

// Whether the file begins as a zip archive and lacks its end, or is called safetensors and ends
// inside its header.
bool is_cut_archive(const std::string& path, const std::string& name);

}  // namespace remote
