#include "fuzz/targets.hpp"

#include <stdexcept>

#include "host/files/error.hpp"
#include "host/files/gzip.hpp"
#include "host/files/npy.hpp"
#include "host/files/pickle_tree.hpp"
#include "host/files/safetensors_reader.hpp"
#include "host/files/tensor_list.hpp"
#include "host/files/torch_legacy_reader.hpp"
#include "host/files/torch_tar_reader.hpp"
#include "host/files/weights_file.hpp"
#include "host/files/zip_reader.hpp"

namespace vissl::fuzz {
namespace {

using namespace vissl::host;

constexpr std::uint64_t kLargestTouch = std::uint64_t{1} << 20;

template <class Body>
void guarded(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    if (error.code() != Exit::bad_data) throw std::logic_error(error.what());
  }
}

// Reads small tensors to the last byte, so that a wrong bound shows.
void touch(const Node& tree) {
  guarded([&] {
    for_each_tensor(tree, [](const std::string&, const TensorRef& tensor) {
      if (const char* problem = tensor.invalid()) throw std::logic_error(problem);
      std::uint64_t bytes = 0;
      if (tensor.storage->size_bytes() > kLargestTouch ||
          __builtin_mul_overflow(static_cast<std::uint64_t>(tensor.numel()),
                                 size_bytes(tensor.dtype), &bytes) ||
          bytes > kLargestTouch) {
        return;
      }
      guarded([&tensor] { tensor_sha256(tensor); });
    });
    unused_bytes(tree);
    foreign_classes(tree);
  });
}

FileBytes as_file(std::span<const std::byte> file) {
  // The fuzzer's bytes outlive the tree.
  return {file, std::make_shared<int>(0), "fuzz"};
}

template <class Read>
void read_with(std::span<const std::byte> file, Read&& read) {
  guarded([&] {
    WeightsFile out;
    WeightsReadOptions options;
    options.dequantize = true;
    options.largest_dense_bytes = kLargestTouch;
    read(as_file(file), options, out);
    touch(out.tree);
  });
}

void zip(std::span<const std::byte> file) {
  guarded([&] {
    const ZipReader zip(file, "fuzz");
    for (const ZipEntry& entry : zip.entries()) {
      guarded([&] { zip.start(entry, 100); });
      guarded([&] { zip.check_crc(entry, zip.contents(entry, kLargestTouch)); });
    }
  });
  constexpr std::byte kFirst{'P'};  // else another format is read
  if (file.empty() || file[0] != kFirst) return;
  guarded([&] {
    WeightsReadOptions options;
    options.largest_dense_bytes = kLargestTouch;
    touch(read_weights(as_file(file), options).tree);
  });
}

void pickle(std::span<const std::byte> file) {
  read_with(file, [](const FileBytes& bytes, const WeightsReadOptions& options, WeightsFile& out) {
    out.tree = read_lone_pickle(bytes, options, out);
  });
}

void legacy(std::span<const std::byte> file) {
  read_with(file, read_torch_legacy);
}

void tar(std::span<const std::byte> file) {
  read_with(file, read_torch_tar);
}

void safetensors(std::span<const std::byte> file) {
  read_with(file, [](const FileBytes& bytes, const WeightsReadOptions&, WeightsFile& out) {
    read_safetensors(bytes, out);
  });
}

void npy(std::span<const std::byte> file) {
  read_with(file, [](const FileBytes& bytes, const WeightsReadOptions&, WeightsFile& out) {
    out.tree = Node(read_npy(bytes));
  });
}

void gzip(std::span<const std::byte> file) {
  guarded([&] { gunzip(file, "fuzz"); });
}

constexpr Target kTargets[] = {{"zip", zip},  {"pickle", pickle},           {"legacy", legacy},
                               {"tar", tar},  {"safetensors", safetensors}, {"npy", npy},
                               {"gzip", gzip}};

}  // namespace

std::span<const Target> targets() {
  return kTargets;
}

}  // namespace vissl::fuzz
