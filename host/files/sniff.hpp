#pragma once
// Which format a file of weights has, by its first bytes.
#include <cstddef>
#include <span>
#include <string>

#include "host/files/error.hpp"

namespace vissl::host {

enum class WeightsFormat { zip, torch_legacy, tar, safetensors, npy, pickle, json, gzip };

// The file is of no format that is read here, but may be one of a plugin's.
class UnknownFormat : public Error {
 public:
  // `lists_formats`: the text ends with the formats that there are, so others may follow.
  explicit UnknownFormat(const std::string& text, bool lists_formats = false)
      : Error(Exit::bad_data, text), lists_formats_(lists_formats) {}
  bool lists_formats() const { return lists_formats_; }

 private:
  bool lists_formats_;
};

// Throws Error(Exit::bad_data) that says what the file is instead, as far as its bytes tell: empty,
// an LFS pointer, an error page, an interrupted download; and UnknownFormat for what may hold
// weights all the same: compressed, HDF5, ...
WeightsFormat sniff_weights(std::span<const std::byte> file, const std::string& name);

[[noreturn]] void throw_unknown_format(const std::string& name);

bool begins_like_json(std::span<const std::byte> file);

}  // namespace vissl::host
