#pragma once
// Reads the zip container of torch.save. No code of the file runs: see pickle_reader.hpp.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "host/files/node.hpp"
#include "host/files/torch_objects.hpp"
#include "host/files/zip_reader.hpp"

namespace vissl::host {

struct TorchZipReadOptions {
  // Compare every entry's checksum while loading; reads all data once. Off: only the pickle's.
  bool verify = true;
  bool is_big_endian = false;  // of a file that does not say its byte order
  bool allow_script = false;   // read the tensors of a TorchScript program too
  std::uint64_t largest_pickle = std::uint64_t{1} << 30;  // bytes
  TorchObjectOptions objects = {};                        // its keep_alive is not used
};

// Tensors borrow from the mapped file, which their storages keep open: their bytes are read when
// they are touched. Entries that are deflated, big-endian or badly aligned are copied at first
// touch. Objects of classes without a meaning here become opaque nodes.
//
// Throws Error(Exit::bad_data) "FILE: WHAT (byte N); REMEDY" for whatever is wrong with the file. A
// damaged file either throws or gives the same values as the whole one, if `verify` is on.
Node read_torch_zip(const std::filesystem::path& path, const TorchZipReadOptions& options = {});

// The same from memory: `keep_alive` holds `file`; `name` stands for the path in errors.
Node read_torch_zip(std::span<const std::byte> file, std::shared_ptr<const void> keep_alive,
                    const std::string& name, const TorchZipReadOptions& options = {});
Node read_torch_zip(ZipReader zip, std::shared_ptr<const void> keep_alive, const std::string& name,
                    const TorchZipReadOptions& options);

// The one folder inside a torch zip file, with a slash at its end: that of the first entry.
std::string torch_zip_root(const ZipReader& zip);

}  // namespace vissl::host
