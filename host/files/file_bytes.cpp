#include "host/files/file_bytes.hpp"

#include <algorithm>

namespace vissl::host {

void swap_elements(std::span<std::byte> bytes, DType dtype) {
  const std::size_t unit = facts(dtype).swap_bytes;
  if (unit < 2) return;
  for (std::size_t i = 0; i + unit <= bytes.size(); i += unit) {
    std::ranges::reverse(bytes.subspan(i, unit));
  }
}

std::shared_ptr<Storage> owned_storage(std::vector<std::byte> bytes) {
  const auto kept = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  return Storage::borrow(kept->data(), kept->size(), kept);
}

std::shared_ptr<Storage> file_storage(std::span<const std::byte> part,
                                      std::shared_ptr<const void> keep_alive, DType dtype,
                                      bool is_swapped,
                                      const std::optional<Storage::Checksum>& checksum) {
  const std::size_t unit = facts(dtype).swap_bytes;
  const bool must_swap = is_swapped && unit > 1;
  if (!must_swap && reinterpret_cast<std::uintptr_t>(part.data()) % unit == 0) {
    auto storage = Storage::borrow(part.data(), part.size(), std::move(keep_alive));
    if (checksum) storage->set_checksum(*checksum);
    return storage;
  }
  return Storage::lazy(part.size(), [part, keep = std::move(keep_alive), dtype, must_swap] {
    auto storage = Storage::copy_of(part);
    if (must_swap) swap_elements(storage->writable(), dtype);
    return storage;
  });
}

}  // namespace vissl::host
