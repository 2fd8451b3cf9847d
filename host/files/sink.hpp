#pragma once
// Where a writer puts its bytes.
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace vissl::host {

class Sink {
 public:
  virtual ~Sink() = default;
  // Takes all of `bytes` or throws Error. One thread at a time.
  virtual void write(std::span<const std::byte> bytes) = 0;

  void write_text(std::string_view text) { write(std::as_bytes(std::span(text))); }
};

class MemorySink final : public Sink {
 public:
  void write(std::span<const std::byte> bytes) override {
    data.insert(data.end(), bytes.begin(), bytes.end());
  }
  std::vector<std::byte> data;
};

}  // namespace vissl::host
