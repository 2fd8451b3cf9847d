// Every sentence with which a zip file, and a zip file of torch.save, is refused.
#include <doctest/doctest.h>

#include <string>

#include "host/files/crc.hpp"
#include "host/files/error.hpp"
#include "host/files/sink.hpp"
#include "host/files/torch_zip_reader.hpp"
#include "host/files/weights_file.hpp"
#include "host/files/zip_reader.hpp"
#include "host/files/zip_writer.hpp"
#include "pickle_bytes.hpp"
#include "temp_folder.hpp"

namespace {

using namespace vissl::host;
using namespace vissl::test;
using namespace std::string_literals;

template <class Body>
std::string refusal(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    CHECK(error.code() == Exit::bad_data);
    return error.what();
  }
  return "no error";
}

std::string damage(const std::string& what) {
  return "net.pth: " + what + "; the file is damaged or incomplete, use another copy";
}
std::string damage(const std::string& what, std::size_t where) {
  return damage(what + " (byte " + std::to_string(where) + ")");
}

std::string read_refusal(const std::string& file) {
  // Exactly as large as the file, so that a sanitizer sees any read beyond its end.
  const std::vector<char> bytes(file.begin(), file.end());
  return refusal([&] { ZipReader(std::as_bytes(std::span(bytes)), "net.pth"); });
}

using Entries = std::vector<std::pair<std::string, std::string>>;

std::string zip_of(const Entries& entries, std::uint64_t zip64_from = 0xffffffff) {
  MemorySink sink;
  ZipWriter zip(sink, zip64_from);
  for (const auto& [name, text] : entries) zip.add_text(name, text);
  zip.finish();
  return {reinterpret_cast<const char*>(sink.data.data()), sink.data.size()};
}

std::string patched(std::string file, std::size_t at, std::uint64_t value, int size_bytes) {
  return file.replace(at, static_cast<std::size_t>(size_bytes), little_endian(value, size_bytes));
}

constexpr const char* kCentral = "PK\x01\x02";
constexpr const char* kEnd = "PK\x05\x06";

// A file with one entry "a/b" of one byte, made of its three parts.
std::string one_entry(const std::string& extra, std::uint64_t size_bytes) {
  const std::string content = "x", crc = little_endian(crc32(std::as_bytes(std::span(content))), 4);
  const std::string facts = little_endian(0, 2) + little_endian(0, 2) + little_endian(0, 4) + crc +
                            little_endian(size_bytes, 4) + little_endian(size_bytes, 4) +
                            little_endian(3, 2);
  std::string file =
      "PK\x03\x04" + little_endian(20, 2) + facts + little_endian(0, 2) + "a/b" + content;
  const std::size_t central = file.size();
  file += kCentral + little_endian(20, 2) + little_endian(20, 2) + facts +
          little_endian(extra.size(), 2) + std::string(14, '\0') + "a/b" + extra;
  const std::size_t size = file.size() - central;
  return file + kEnd + little_endian(0, 4) + little_endian(1, 2) + little_endian(1, 2) +
         little_endian(size, 4) + little_endian(central, 4) + little_endian(0, 2);
}

// A zip file with a header and no entry.
const std::string kEmpty = "PK\x03\x04PK\x05\x06" + std::string(12, '\0') + "\x04\0\0\0\0\0"s;

}  // namespace

TEST_CASE("zip errors: the records at the end are checked against each other") {
  const std::string good = zip_of({{"a/b", "x"}, {"a/c", "y"}});
  const std::size_t end = good.rfind(kEnd), central = good.find(kCentral);
  REQUIRE(read_refusal(good) == "no error");
  CHECK(read_refusal("PK") == damage("is not a zip file", 0));
  CHECK(read_refusal("PK\x03\x04 short") == damage("the zip file has no directory", 10));
  CHECK(read_refusal("PK\x03\x04" + std::string(40, ' ')) ==
        damage("the zip file has no directory at its end", 44));
  CHECK(read_refusal(patched(good, end + 4, 1, 2)) == damage("is a multi-part zip file", end));
  CHECK(read_refusal(patched(good, end + 8, 3, 2)) ==
        damage("the zip file's entry counts disagree", end));
  CHECK(read_refusal(patched(good, end + 12, 1, 4)) ==
        damage("the zip directory does not fit into the file", end));
  CHECK(read_refusal(patched(patched(good, end + 8, 1, 2), end + 10, 1, 2)) ==
        damage("the zip directory has bytes that belong to no entry", good.rfind(kCentral)));
  CHECK(read_refusal(patched(good, central, 0, 4)) ==
        damage("zip directory entry 0 is broken", central));
  CHECK(read_refusal(patched(good, central + 28, 0xffff, 2)) ==
        damage("zip directory entry 0 is cut off", central));
}

TEST_CASE("zip errors: the 64-bit records are checked against each other") {
  const std::string good = zip_of({{"a/b", "x"}}, 0);
  const std::size_t record = good.rfind("PK\x06\x06"), locator = good.rfind("PK\x06\x07");
  REQUIRE(read_refusal(good) == "no error");
  CHECK(read_refusal(patched(good, locator + 4, 1, 4)) ==
        damage("is a multi-part zip file", locator));
  CHECK(read_refusal(patched(good, locator + 16, 2, 4)) ==
        damage("is a multi-part zip file", locator));
  CHECK(read_refusal(patched(good, record + 16, 1, 4)) ==
        damage("is a multi-part zip file", record));
  CHECK(read_refusal(patched(good, record, 0, 4)) ==
        damage("the zip file's 64-bit end record is missing", locator));
  CHECK(read_refusal(patched(good, locator + 8, good.size() - 2, 8)) ==
        damage("the zip file ends inside a header", good.size()));
}

TEST_CASE("zip errors: each entry is checked against its header and named") {
  const std::string good = zip_of({{"a/b", "x"}, {"a/c", "y"}});
  const std::size_t central = good.find(kCentral), second = good.rfind(kCentral);
  const std::size_t local = good.rfind("PK\x03\x04");
  CHECK(
      read_refusal(zip_of({{"a/../b", "x"}})) ==
      damage("has an entry with the bad name 'a/../b'", zip_of({{"a/../b", "x"}}).find(kCentral)));
  CHECK(read_refusal(patched(good, central + 8, 1, 2)) ==
        damage("entry 'a/b' is encrypted", central));
  CHECK(read_refusal(patched(good, central + 10, 12, 2)) ==
        damage("entry 'a/b' has the unknown compression method 12", central));
  CHECK(read_refusal(patched(good, central + 24, 7, 4)) ==
        damage("entry 'a/b' has two different sizes", central));
  CHECK(read_refusal(patched(good, second + 42, 9, 4)) ==
        damage("entry 'a/c' has no header where the directory says", second));
  CHECK(read_refusal(patched(good, local + 26, 0xffff, 2)) ==
        damage("entry 'a/c' reaches beyond the zip file's data", second));
  CHECK(read_refusal(patched(good, local + 30, 'z', 1)) ==
        damage("entry 'a/c' has a header that disagrees with the directory", local));
  CHECK(read_refusal(patched(good, local + 18, 7, 4)) ==
        damage("entry 'a/c' has another size in its header than in the directory", local));
  CHECK(read_refusal(zip_of({{"a/b", "x"}, {"a/b", "x"}})) ==
        damage("has two entries called 'a/b'", second));
  CHECK(read_refusal(zip_of({{"a/b", good}})) == "no error");
  CHECK(read_refusal(one_entry("", 1)) == "no error");
  CHECK(read_refusal(one_entry(little_endian(9, 2) + little_endian(5, 2) + "abc", 1)) ==
        damage("the extra field of 'a/b' is cut off", 34 + 46 + 3 + 4));
  CHECK(read_refusal(one_entry(little_endian(1, 2) + little_endian(4, 2) + "abcd", 0xffffffff)) ==
        damage("the 64-bit sizes of 'a/b' are cut off", 34 + 46 + 3 + 4));
}

TEST_CASE("zip errors: contents beyond a limit or with a wrong checksum are refused") {
  const std::string good = zip_of({{"a/b", "four"}});
  const ZipReader zip(std::as_bytes(std::span(good)), "net.pth");
  const ZipEntry& entry = zip.entries().front();
  CHECK(refusal([&] { zip.contents(entry, 3); }) ==
        damage("entry 'a/b' claims 4 bytes, more than the limit of 3", 0));
  const std::string other = "five";
  CHECK(refusal([&] { zip.check_crc(entry, std::as_bytes(std::span(other))); }) ==
        damage("entry 'a/b' has a wrong checksum", entry.data_offset));
}

TEST_CASE("torch zip errors: what torch.save would not write is refused with its name") {
  const std::string data = pickled("N");
  const auto read = [](const std::string& file, const TorchZipReadOptions& options = {}) {
    return refusal(
        [&] { read_torch_zip(std::as_bytes(std::span(file)), nullptr, "net.pth", options); });
  };
  const Entries good = {{"a/data.pkl", data}, {"a/version", "3\n"}};
  const auto with = [&good](Entries more) {
    more.insert(more.begin(), good.begin(), good.end());
    return zip_of(more);
  };
  REQUIRE(read(zip_of(good)) == "no error");
  CHECK(read(kEmpty) == damage("the zip file is empty"));
  CHECK(read(zip_of({{"a/b", "x"}})) ==
        "net.pth: is a zip file but not one of torch.save: it has no 'a/data.pkl'; name a "
        "checkpoint");
  CHECK(read(with({{"a/constants.pkl", data}})) ==
        "net.pth: is a TorchScript program, not a checkpoint; save the module's state_dict() with "
        "torch.save instead");
  CHECK(read(zip_of({{"a/data.pkl", data}})) == damage("has the unknown format version ''"));
  CHECK(read(zip_of({{"a/data.pkl", data}, {"a/version", "11"}})) ==
        damage("has the unknown format version '11'"));
  CHECK(read(with({{"a/byteorder", "middle"}})) == damage("has the unknown byte order 'middle'"));
  const std::string long_note = with({{"a/byteorder", std::string(5000, 'x')}});
  CHECK(read(long_note) ==
        damage("entry 'a/byteorder' claims 5000 bytes, more than the limit of 4096",
               long_note.rfind("PK\x03\x04")));
  TorchZipReadOptions options;
  options.largest_pickle = 3;
  CHECK(read(zip_of(good), options) ==
        damage("has a pickle of 4 bytes, more than the limit of 3", 64));
  const std::string tensor = pickled(pickled_call(
      "torch._utils._rebuild_tensor_v2", {pickled_storage("7", "Float", 1), pickled_integer(0),
                                          pickled_sizes({1}), pickled_sizes({1}), "\x89", "N"}));
  CHECK(read(zip_of({{"a/data.pkl", tensor}, {"a/version", "3"}})) ==
        damage("has no data for the storage '7'"));
  const std::string small =
      zip_of({{"a/data.pkl", tensor}, {"a/version", "3"}, {"a/data/7", "ab"}});
  CHECK(read(small) ==
        damage("storage '7' has 2 bytes where its tensors need 4", small.rfind("ab")));
  TempFolder folder;
  write_file(folder / "net.pth", kEmpty);
  CHECK(refusal([&] { read_weights_file(folder / "net.pth"); }) ==
        (folder / "net.pth").string() + ": is an empty zip file; use another copy");
}
