#include "host/files/storage.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstring>
#include <stdexcept>
#include <thread>
#include <vector>

using vissl::host::Storage;

TEST_CASE("storage: a lazy one is made once, at the first touch, by whichever thread comes") {
  std::atomic<int> made = 0;
  const auto storage = Storage::lazy(4, [&made] {
    ++made;
    auto out = Storage::allocate(4);
    std::memset(out->writable().data(), 7, 4);
    return out;
  });
  CHECK(storage->size_bytes() == 4);
  CHECK(made == 0);
  std::vector<const std::byte*> seen(4);
  std::vector<std::thread> threads;
  for (auto& place : seen) {
    threads.emplace_back([&storage, &place] { place = storage->bytes().data(); });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(made == 1);
  for (const std::byte* place : seen) CHECK(place == seen[0]);
  CHECK(storage->bytes()[3] == std::byte{7});
  CHECK_THROWS_AS(storage->writable(), std::logic_error);
}

TEST_CASE("storage: a lazy one that fails says so to each who asks, and may succeed later") {
  int attempts = 0;
  const auto storage = Storage::lazy(1, [&attempts] {
    if (++attempts < 3) throw std::runtime_error("not yet");
    return Storage::allocate(1);
  });
  CHECK_THROWS_WITH(storage->bytes(), "not yet");
  CHECK_THROWS_WITH(storage->bytes(), "not yet");
  CHECK(storage->bytes().size() == 1);
  CHECK_THROWS_AS(Storage::lazy(2, [] { return Storage::allocate(1); })->bytes(), std::logic_error);
}
