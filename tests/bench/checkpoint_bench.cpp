// Saves a state dict of MIB mebibytes as a checkpoint is saved (temporary name, fsync, rename) and
// reads it back: one JSON object of seconds. Driven by `scripts/bench checkpoint`, whose peer makes
// the same values: element j of tensor i is j + i.
//
//   checkpoint_bench FILE TENSORS MIB
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include "host/files/atomic_file.hpp"
#include "host/files/storage.hpp"
#include "host/files/torch_zip_reader.hpp"
#include "host/files/torch_zip_writer.hpp"

using namespace vissl::host;

namespace {

Node state_of(int tensors, int mib) {
  const std::int64_t count = std::int64_t{mib} * (1 << 20) / 4 / tensors;
  Dict state;
  for (int i = 0; i < tensors; ++i) {
    auto storage = Storage::allocate(static_cast<std::uint64_t>(count) * sizeof(float));
    auto* values = reinterpret_cast<float*>(storage->writable().data());
    for (std::int64_t j = 0; j < count; ++j)
      values[j] = static_cast<float>(j) + static_cast<float>(i);
    state.set(Key("layer" + std::to_string(i) + ".weight"),
              Node(TensorRef::contiguous(DType::float32, {count}, storage)));
  }
  return Node(std::move(state));
}

float first_value(const TensorRef& tensor) {
  float value = 0;
  std::memcpy(&value, tensor.storage->bytes().data() + tensor.offset * 4, sizeof value);
  return value;
}

double sum_of_firsts(const Node& tree) {
  double sum = 0;
  for (const auto& [key, value] : tree.as_dict().entries())
    sum += static_cast<double>(first_value(value.as_tensor()));
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: checkpoint_bench FILE TENSORS MIB\n");
    return 2;
  }
  const std::string path = argv[1];
  using Clock = std::chrono::steady_clock;
  const auto seconds = [](Clock::time_point from, Clock::time_point to) {
    return std::chrono::duration<double>(to - from).count();
  };
  try {
    const Node state = state_of(std::atoi(argv[2]), std::atoi(argv[3]));
    const auto start = Clock::now();
    {
      AtomicFile file(path);
      write_torch_zip(file, state);
      file.commit();
    }
    const auto saved = Clock::now();
    double sum = sum_of_firsts(read_torch_zip(path));  // compares every checksum
    const auto checked = Clock::now();
    TorchZipReadOptions lazy;
    lazy.verify = false;
    sum += sum_of_firsts(read_torch_zip(path, lazy));
    const auto mapped = Clock::now();
    std::printf("{\"save_s\":%.6f,\"checked_load_s\":%.6f,\"mapped_load_s\":%.6f,\"sum\":%.1f}\n",
                seconds(start, saved), seconds(saved, checked), seconds(checked, mapped), sum);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "checkpoint_bench: %s\n", error.what());
    return 1;
  }
}
