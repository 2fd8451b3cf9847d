#include "host/files/gzip.hpp"

#include <doctest/doctest.h>
#include <zlib.h>

#include <algorithm>

#include "host/files/error.hpp"
#include "host/files/tensor_list.hpp"
#include "host/files/weights_file.hpp"
#include "temp_folder.hpp"

namespace {

using namespace vissl::host;
using vissl::test::read_file;
using vissl::test::TempFolder;
using vissl::test::write_file;

const std::string kGolden = std::string(VISSL_SOURCE_DIR) + "/tests/golden/weights_files/";

std::string gzipped(std::string content) {
  z_stream stream{};
  REQUIRE(::deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(::deflateBound(&stream, content.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(content.data());
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

std::string inflated(const std::string& file) {
  const auto bytes = gunzip(std::as_bytes(std::span(file)), "w.gz");
  return {reinterpret_cast<const char*>(bytes->data()), bytes->size()};
}

std::string refusal(const std::string& file) {
  try {
    return "no error but " + std::to_string(inflated(file).size()) + " bytes";
  } catch (const Error& error) {
    CHECK(error.code() == Exit::bad_data);
    return error.what();
  }
}

}  // namespace

TEST_CASE("gzip: one member or several give all their bytes") {
  std::string large(300'000, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * i >> 7);
  CHECK(inflated(gzipped(large)) == large);
  CHECK(inflated(gzipped("")).empty());
  CHECK(inflated(gzipped(large) + gzipped("and more")) == large + "and more");
}

TEST_CASE("gzip: what is cut, damaged or a bomb is refused, at every byte") {
  const std::string whole = gzipped("some weights, some more weights");
  for (std::size_t size = 2; size < whole.size(); ++size)
    CHECK(refusal(whole.substr(0, size)).starts_with("w.gz: the gzip stream is cut off (byte "));
  std::string changed = whole;
  changed[whole.size() - 6] ^= 1;  // of the checksum
  CHECK(refusal(changed).starts_with("w.gz: the gzip stream is broken (byte "));
  CHECK(refusal(whole + "x").starts_with("w.gz: the gzip stream is "));
  const std::string bomb = gzipped(std::string(20 << 20, '\0'));
  CHECK(refusal(bomb).starts_with("w.gz: would inflate more than 200 times (byte "));
}

TEST_CASE("gzip: a compressed file of weights is read as what it holds, and once only") {
  const TempFolder folder;
  for (const std::string name : {"zip_training.pth", "legacy_views.pth"}) {
    const std::string content = read_file(kGolden + name);
    write_file(folder / "w.gz", gzipped(content));
    const WeightsFile direct = read_weights_file(kGolden + name);
    const WeightsFile file = read_weights_file(folder / "w.gz");
    CHECK(file.format == direct.format);
    CHECK(same_values(file.tree, direct.tree));
  }
  write_file(folder / "w.gz", gzipped(gzipped(read_file(kGolden + "zip_training.pth"))));
  CHECK_THROWS_WITH_AS(
      read_weights_file(folder / "w.gz"),
      ((folder / "w.gz").string() + ": is compressed more than once; decompress it first (gunzip)")
          .c_str(),
      Error);
}
