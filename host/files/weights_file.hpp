#pragma once
// Every file format of pretrained weights behind one function.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/files/file_bytes.hpp"
#include "host/files/node.hpp"

namespace vissl::host {

struct WeightsFile;

// Formats that the readers of this folder do not know: those of plugins. [main]
class WeightsFormats {
 public:
  virtual ~WeightsFormats() = default;
  // Reads `file` if one of them recognises it; false = none does. Throws Error for what is wrong
  // with the file, and for two that both recognise it.
  virtual bool read(const FileBytes& file, WeightsFile& out) = 0;
  // "flax_msgpack", sorted; for messages.
  virtual std::vector<std::string> names() const = 0;
};

struct WeightsReadOptions {
  WeightsFormats* formats = nullptr;  // asked for what is of no format of ours; NULL = none
  // Compare the checksums that the format has with all data, which reads all of it. Off: only what
  // is read anyway.
  bool verify = false;
  // Refuse a pickle that names functions which could harm a Python reader. Off: a warning.
  bool refuse_suspicious = false;
  // Quantised tensors become float32 at first touch. Off: their integers, as qint8, quint8, qint32.
  bool dequantize = false;
  // Byte order of a torch file that does not say its own (old files from big-endian machines).
  bool is_big_endian = false;
  int deepest = 1000;                    // levels of nesting
  std::uint64_t most_nodes = 4'000'000;  // of the tree, shared ones counted each time
  // A sparse tensor that would be larger when dense stays an opaque node.
  std::uint64_t largest_dense_bytes = std::uint64_t{16} << 30;
};

struct WeightsFile {
  // torch_zip, torch_legacy, torch_tar, torchscript, safetensors, safetensors_index, torch_index,
  // npy, npz, pickle, vissl_shard_list, vissl_slice_list, or the name of one of `formats`.
  std::string format;
  // What the file holds, with its wrappers ("state_dict", "model", ...). A pickled module has
  // become its state dict, a numpy array a tensor; objects of other foreign classes are opaque.
  Node tree;
  std::vector<std::string> warnings;  // sentences without the file's name
  // safetensors' "__metadata__", or what another format has, in the file's order.
  std::vector<std::pair<std::string, std::string>> metadata;
};

// Recognises the format by content, never by name. Nothing in the file is run or imported.
//
// Reads the directory and the pickle only; the bytes of a tensor are read from the mapped file when
// they are touched. Storages that need a copy (inflated, swapped, unaligned, made dense) make it at
// the first Storage::bytes(), which then may throw as this function does; any thread may do that.
// The tensors keep the file mapped and open.
//
// A folder stands for the checkpoint in it: VISSL's checkpoint.torch, else the index or the single
// file that Hugging Face's libraries save.
//
// Throws Error(Exit::bad_data) "FILE: WHAT; REMEDY" for whatever is wrong with the file.
WeightsFile read_weights_file(const std::filesystem::path& path,
                              const WeightsReadOptions& options = {});
// The same from memory. An index of several files looks for them beside `file.name`.
WeightsFile read_weights(const FileBytes& file, const WeightsReadOptions& options = {});

}  // namespace vissl::host
