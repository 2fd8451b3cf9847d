#include "host/files/read_into.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "host/files/error.hpp"
#include "host/files/mapped_file.hpp"
#include "temp_folder.hpp"

using namespace vissl::host;
using namespace vissl::test;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kLarge = (std::size_t{40} << 20) + 12345;  // enough for two threads

std::string numbered(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 2654435761u >> 13);
  return bytes;
}

std::string_view text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

TEST_CASE("read into: pieces of several files and of memory arrive, in any order") {
  const TempFolder folder;
  const std::string content = numbered(kLarge), small = numbered(5000);
  write_file(folder / "large", content);
  write_file(folder / "small", small);
  const auto large = MappedFile::open(folder / "large");
  const auto other = MappedFile::open(folder / "small");
  const std::string heap = "of memory";
  std::string out(kLarge + small.size() + heap.size(), '\0');
  auto* to = reinterpret_cast<std::byte*>(out.data());
  const std::size_t middle = kLarge / 3;
  read_into({{std::as_bytes(std::span(heap)), to + kLarge + small.size()},
             {large->bytes().subspan(middle), to + middle},
             {other->bytes(), to + kLarge},
             {large->bytes().first(middle), to},
             {{}, nullptr}},
            2);
  CHECK(out == content + small + heap);
}

TEST_CASE("read into: a file that was cut since is an error that names it, not a signal") {
  const TempFolder folder;
  for (const std::size_t size : {std::size_t{100'000}, kLarge}) {
    write_file(folder / "net.pth", numbered(size));
    const auto file = MappedFile::open(folder / "net.pth");
    std::string out(size, '\0');
    fs::resize_file(folder / "net.pth", 8192);
    try {
      read_into({{file->bytes(), reinterpret_cast<std::byte*>(out.data())}}, 2);
      FAIL("a cut file was read");
    } catch (const Error& error) {
      CHECK(error.code() == Exit::bad_data);
      const std::string text = error.what();
      CHECK(text.starts_with((folder / "net.pth").string() + ": ends at byte "));
      CHECK(text.find(
                ", but had " + std::to_string(size) +
                " when it was opened: somebody writes it; wait for that, or use another copy") !=
            std::string::npos);
    }
  }
}

TEST_CASE("read into: a file that was replaced or removed gives the bytes that were opened") {
  const TempFolder folder;
  const std::string content = numbered(100'000);
  write_file(folder / "net.pth", content);
  const auto file = MappedFile::open(folder / "net.pth");
  const auto whole = [&file] {
    std::string out(file->bytes().size(), '\0');
    read_into({{file->bytes(), reinterpret_cast<std::byte*>(out.data())}}, 1);
    return out;
  };
  write_file(folder / "newer", std::string(200'000, 'n'));
  fs::rename(folder / "newer", folder / "net.pth");
  CHECK(whole() == content);
  fs::remove(folder / "net.pth");
  CHECK(whole() == content);
  CHECK(text(file->bytes()) == content);
}
