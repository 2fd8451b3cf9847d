#include "host/files/mapped_file.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <vector>

#include "temp_folder.hpp"

using namespace vissl::host;
using namespace vissl::test;

namespace {

// Whether the first page of `bytes` is in this process' memory by /proc's account.
bool resident(std::span<const std::byte> bytes) {
  const int fd = ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  std::uint64_t entry = 0;
  const auto page = reinterpret_cast<std::uintptr_t>(bytes.data()) /
                    static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto got = ::pread(fd, &entry, sizeof entry, static_cast<off_t>(page * sizeof entry));
  ::close(fd);
  REQUIRE(got == sizeof entry);
  return (entry >> 63) != 0;
}

}  // namespace

TEST_CASE("mapped file: pages that were let go leave memory and come back with the same bytes") {
  const TempFolder folder;
  write_file(folder / "a", std::string(1 << 20, 'x'));
  const auto file = MappedFile::open(folder / "a");
  const auto middle = file->bytes().subspan(1 << 19, 1 << 16);
  CHECK(middle.front() == std::byte{'x'});
  CHECK(resident(middle));
  MappedFile::let_go(middle);
  CHECK(!resident(middle));
  CHECK(middle.front() == std::byte{'x'});
  CHECK(resident(middle));
}

TEST_CASE("mapped file: memory that is no file's keeps its bytes") {
  const TempFolder folder;
  write_file(folder / "a", std::string(8192, 'x'));
  const auto file = MappedFile::open(folder / "a");
  const std::vector<std::byte> heap(1 << 20, std::byte{7});
  MappedFile::let_go(heap);
  CHECK(heap.front() == std::byte{7});
  CHECK(heap.back() == std::byte{7});
  MappedFile::let_go({file->bytes().data(), 1 << 20});  // longer than the file: not its bytes
  CHECK(file->bytes().front() == std::byte{'x'});
}
