#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "host/files/sink.hpp"

namespace vissl::host {

// SHA-256 (FIPS 180-4) of a stream of bytes. Uses the CPU's SHA instructions where it has them.
class Sha256 {
 public:
  void update(std::span<const std::byte> bytes);
  // The digest in 64 lower-case hexadecimal digits; nothing may be added after it.
  std::string finish_hex();

  // Tests compare the portable code with the CPU's instructions by setting this.
  static inline bool only_portable = false;

 private:
  std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::byte, 64> block_{};
  std::uint64_t size_ = 0;  // bytes so far
};

std::string sha256_hex(std::span<const std::byte> bytes);
// Throws Error(Exit::bad_data) if the file cannot be read.
std::string sha256_hex_of_file(const std::filesystem::path& path);

// Passes everything on to another sink and remembers size and digest.
class HashingSink final : public Sink {
 public:
  explicit HashingSink(Sink& inner) : inner_(inner) {}
  void write(std::span<const std::byte> bytes) override {
    inner_.write(bytes);
    hash_.update(bytes);
    size_ += bytes.size();
  }
  std::uint64_t size_bytes() const { return size_; }
  std::string finish_hex() { return hash_.finish_hex(); }

 private:
  Sink& inner_;
  Sha256 hash_;
  std::uint64_t size_ = 0;
};

}  // namespace vissl::host
