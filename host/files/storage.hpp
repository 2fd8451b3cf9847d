#pragma once
// The bytes behind one or more tensors of a file tree.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

namespace vissl::host {

// Either owns its bytes, or borrows them and keeps something alive (a mapped file, another
// library's tensor). Identity matters: tensors that share a Storage share it on disk too.
class Storage {
 public:
  // Owned, uninitialised, aligned to 64 bytes.
  static std::shared_ptr<Storage> allocate(std::uint64_t size_bytes);
  static std::shared_ptr<Storage> copy_of(std::span<const std::byte> bytes);
  // `data` must stay valid and unchanged as long as `keep_alive` is held.
  static std::shared_ptr<Storage> borrow(const void* data, std::uint64_t size_bytes,
                                         std::shared_ptr<const void> keep_alive);

  // `make` runs once, when the bytes are first asked for, on whatever thread asks; it must give
  // `size_bytes` bytes. What it throws reaches the caller of bytes(), and the next one tries again.
  static std::shared_ptr<Storage> lazy(std::uint64_t size_bytes,
                                       std::function<std::shared_ptr<Storage>()> make);

  // What the file says of bytes that hold this storage's, often no more than them.
  struct Checksum {
    std::span<const std::byte> of;  // lives as long as the storage
    std::uint32_t crc32;
  };
  // Nothing where the file says none, or where the bytes are made of others.
  const std::optional<Checksum>& checksum() const { return checksum_; }
  // Before others see the storage.
  void set_checksum(Checksum checksum) { checksum_ = checksum; }

  std::uint64_t size_bytes() const { return size_; }
  // Any thread.
  std::span<const std::byte> bytes() const;
  // Only of a Storage that owns its bytes; throws std::logic_error otherwise.
  std::span<std::byte> writable();

 private:
  struct Lazy;
  Storage(const std::byte* data, std::uint64_t size, std::shared_ptr<const void> keep_alive,
          std::byte* owned)
      : data_(data), size_(size), keep_alive_(std::move(keep_alive)), owned_(owned) {}

  const std::byte* data_;
  std::uint64_t size_;
  std::shared_ptr<const void> keep_alive_;
  std::byte* owned_;
  std::shared_ptr<Lazy> lazy_;  // null: data_ is there
  std::optional<Checksum> checksum_;
};

}  // namespace vissl::host
