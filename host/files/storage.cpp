#include "host/files/storage.hpp"

#include <algorithm>
#include <mutex>
#include <new>
#include <stdexcept>

namespace vissl::host {

struct Storage::Lazy {
  std::mutex making;  // no once_flag: the thread sanitizer hangs where what it guards throws
  std::function<std::shared_ptr<Storage>()> make;
  std::shared_ptr<Storage> made;
};

std::shared_ptr<Storage> Storage::allocate(std::uint64_t size_bytes) {
  constexpr std::align_val_t kAlignment{64};
  auto* data = static_cast<std::byte*>(::operator new(size_bytes, kAlignment));
  std::shared_ptr<const void> keep(
      data, [](const void* p) { ::operator delete(const_cast<void*>(p), kAlignment); });
  return std::shared_ptr<Storage>(new Storage(data, size_bytes, std::move(keep), data));
}

std::shared_ptr<Storage> Storage::copy_of(std::span<const std::byte> bytes) {
  auto storage = allocate(bytes.size());
  std::ranges::copy(bytes, storage->writable().begin());
  return storage;
}

std::shared_ptr<Storage> Storage::borrow(const void* data, std::uint64_t size_bytes,
                                         std::shared_ptr<const void> keep_alive) {
  return std::shared_ptr<Storage>(
      new Storage(static_cast<const std::byte*>(data), size_bytes, std::move(keep_alive), nullptr));
}

std::shared_ptr<Storage> Storage::lazy(std::uint64_t size_bytes,
                                       std::function<std::shared_ptr<Storage>()> make) {
  std::shared_ptr<Storage> storage(new Storage(nullptr, size_bytes, nullptr, nullptr));
  storage->lazy_ = std::make_shared<Lazy>();
  storage->lazy_->make = std::move(make);
  return storage;
}

std::span<const std::byte> Storage::bytes() const {
  if (lazy_ == nullptr) return {data_, size_};
  const std::lock_guard lock(lazy_->making);
  if (lazy_->made == nullptr) {
    auto made = lazy_->make();
    if (made->size_bytes() != size_) throw std::logic_error("a lazy storage has another size");
    lazy_->made = std::move(made);
    lazy_->make = nullptr;  // lets go of what it was made from
  }
  return lazy_->made->bytes();
}

std::span<std::byte> Storage::writable() {
  if (owned_ == nullptr) throw std::logic_error("a borrowed storage cannot be written");
  return {owned_, size_};
}

}  // namespace vissl::host
