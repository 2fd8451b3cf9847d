#include "host/files/sha256.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "temp_folder.hpp"

namespace {

using namespace vissl::host;

std::string hex(const std::string& text) {
  return sha256_hex(std::as_bytes(std::span(text)));
}

// Runs the body with the CPU's instructions and with the portable code.
template <class Body>
void both(Body body) {
  for (const bool only_portable : {false, true}) {
    Sha256::only_portable = only_portable;
    CAPTURE(only_portable);
    body();
  }
  Sha256::only_portable = false;
}

}  // namespace

TEST_CASE("sha256: the vectors of FIPS 180-4 are met") {
  both([] {
    CHECK(hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    CHECK(hex(std::string(1'000'000, 'a')) ==
          "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  });
}

TEST_CASE("sha256: the digest does not depend on how the bytes are cut into pieces") {
  std::string text;
  for (int i = 0; i < 300; ++i) text += static_cast<char>(i * 7);
  both([&text] {
    for (std::size_t size = 0; size <= text.size(); ++size) {
      const std::string part = text.substr(0, size);
      Sha256 hash;
      for (std::size_t at = 0; at < size; at += 1 + at % 67) {
        const std::size_t piece = std::min(size - at, 1 + at % 67);
        hash.update(std::as_bytes(std::span(part)).subspan(at, piece));
      }
      REQUIRE(hash.finish_hex() == hex(part));
    }
  });
}

TEST_CASE("sha256: the CPU's instructions and the portable code agree at every length") {
  std::string text;
  for (int i = 0; i < 300; ++i) {
    Sha256::only_portable = false;
    const std::string fast = hex(text);
    Sha256::only_portable = true;
    CHECK(hex(text) == fast);
    text += static_cast<char>(i * 31);
  }
  Sha256::only_portable = false;
}

TEST_CASE("sha256: a file and a sink give the digest of their bytes") {
  vissl::test::TempFolder folder;
  vissl::test::write_file(folder / "a", "abc");
  CHECK(sha256_hex_of_file(folder / "a") == hex("abc"));
  MemorySink memory;
  HashingSink sink(memory);
  sink.write_text("a");
  sink.write_text("bc");
  CHECK(sink.size_bytes() == 3);
  CHECK(memory.data.size() == 3);
  CHECK(sink.finish_hex() == hex("abc"));
}
