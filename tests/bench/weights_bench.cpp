// Loads a file of pretrained weights and touches every byte: one JSON object of seconds and the sum
// of all 64-bit words. Driven by `scripts/bench weights`.
//
//   weights_bench copied|mapped FILE     copied: into memory of its own, as torch.load does
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include "host/files/mapped_file.hpp"
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

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: weights_bench copied|mapped FILE\n");
    return 2;
  }
  try {
    using Clock = std::chrono::steady_clock;
    const bool copied = std::string(argv[1]) == "copied";
    const auto start = Clock::now();
    const WeightsFile file = read_weights_file(argv[2]);
    std::vector<std::shared_ptr<Storage>> kept;
    std::uint64_t sum = 0;
    for (const WeightsSource& source : tensors_of(file.tree)) {
      const TensorRef& tensor = *source.tensor;
      const std::uint64_t width = size_bytes(tensor.dtype);
      const auto bytes =
          tensor.storage->bytes().subspan(static_cast<std::uint64_t>(tensor.offset) * width,
                                          static_cast<std::uint64_t>(tensor.numel()) * width);
      if (!copied) {
        sum += sum_of(bytes);
        continue;
      }
      kept.push_back(Storage::allocate(bytes.size()));
      std::memcpy(kept.back()->writable().data(), bytes.data(), bytes.size());
      MappedFile::let_go(bytes);
      sum += sum_of(kept.back()->bytes());
    }
    const std::chrono::duration<double> seconds = Clock::now() - start;
    std::printf("{\"load_s\":%.6f,\"sum\":\"%016llx\"}\n", seconds.count(),
                static_cast<unsigned long long>(sum));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "weights_bench: %s\n", error.what());
    return 1;
  }
}
