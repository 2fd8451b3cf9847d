// Loads a file of pretrained weights and touches every byte: one JSON object of seconds and the sum
// of all 64-bit words. Driven by `scripts/bench weights`.
//
//   weights_bench copied|into|mapped FILE
//
// copied: into new memory, as torch.load does; into: into the tensors of a model, and the checksums
// of the zip compared, as a run does (both by all cores); mapped: where the file lies.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "host/files/crc.hpp"
#include "host/files/read_into.hpp"
#include "host/files/weights_file.hpp"
#include "host/weights/weights_plan.hpp"

using namespace vissl::host;

namespace {

std::uint64_t sum_of(std::span<const std::byte> bytes) {
  std::uint64_t sum = 0;
  for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, 8);
    sum += word;
  }
  return sum;
}

std::span<const std::byte> bytes_of(const TensorRef& tensor) {
  const std::uint64_t width = size_bytes(tensor.dtype);
  return tensor.storage->bytes().subspan(static_cast<std::uint64_t>(tensor.offset) * width,
                                         static_cast<std::uint64_t>(tensor.numel()) * width);
}

using Memory = std::vector<std::shared_ptr<Storage>>;

Memory memory_for(const std::vector<WeightsSource>& sources) {
  Memory memory;
  for (const WeightsSource& source : sources)
    memory.push_back(Storage::allocate(bytes_of(*source.tensor).size()));
  return memory;
}

void check_sums(const std::vector<WeightsSource>& sources, const Memory& memory) {
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> damaged = false;
  const auto work = [&] {
    for (std::size_t i = next++; i < sources.size(); i = next++) {
      const auto& checksum = sources[i].tensor->storage->checksum();
      if (checksum && crc32(memory[i]->bytes()) != checksum->crc32) damaged = true;
    }
  };
  std::vector<std::thread> threads;
  for (unsigned n = 1; n < std::thread::hardware_concurrency(); ++n) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  if (damaged) throw std::runtime_error("a wrong checksum");
}

std::uint64_t load(const std::string& file, const std::string& how, Memory memory) {
  const WeightsFile weights = read_weights_file(file);
  const std::vector<WeightsSource> sources = tensors_of(weights.tree);
  std::uint64_t sum = 0;
  if (how == "mapped") {
    for (const WeightsSource& source : sources) sum += sum_of(bytes_of(*source.tensor));
    return sum;
  }
  if (how == "copied") memory = memory_for(sources);
  std::vector<ReadPiece> pieces;
  for (std::size_t i = 0; i < sources.size(); ++i)
    pieces.push_back({bytes_of(*sources[i].tensor), memory[i]->writable().data()});
  read_into(std::move(pieces), static_cast<int>(std::thread::hardware_concurrency()));
  if (how == "into") check_sums(sources, memory);
  for (const auto& tensor : memory) sum += sum_of(tensor->bytes());
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: weights_bench copied|into|mapped FILE\n");
    return 2;
  }
  try {
    const std::string how = argv[1];
    Memory model;
    if (how == "into") {
      model = memory_for(tensors_of(read_weights_file(argv[2]).tree));
      for (const auto& tensor : model)
        std::memset(tensor->writable().data(), 1, tensor->size_bytes());
    }
    const auto start = std::chrono::steady_clock::now();
    const std::uint64_t sum = load(argv[2], how, std::move(model));
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    std::printf("{\"load_s\":%.6f,\"sum\":\"%016llx\"}\n", seconds.count(),
                static_cast<unsigned long long>(sum));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "weights_bench: %s\n", error.what());
    return 1;
  }
}
