#include <doctest/doctest.h>

#include <string>
#include <vissl/test.hpp>
#include <vissl/test/weights_files.hpp>

using namespace std::string_literals;
using vissl::test::read_weights;
using vissl::test::ReadWeights;
using vissl::test::recognises_weights;

namespace {

struct Flax {
  vissl::test::Host host;
  vissl::test::Instance format;
  Flax()
      : format((host.load(std::string(VISSL_PLUGIN_DIR) + "/flax_msgpack.so"),
                host.component("weights_format", "flax_msgpack").create())) {}
};

std::string array(const std::string& content, char extension = 1) {
  return "\xc7"s + static_cast<char>(content.size()) + extension + content;
}

// An array of `count` bytes: [[count], "uint8", elements].
std::string bytes_array(int count) {
  return array("\x93\x91"s + static_cast<char>(count) + "\xa5uint8\xc4" + static_cast<char>(count) +
               std::string(static_cast<std::size_t>(count), 'x'));
}

// {"w": VALUE}
std::string file_of(const std::string& value) {
  return "\x81\xa1w"s + value;
}

const std::string kChunkMark = "\xb9__msgpack_chunked_array__\xc3"s;

void refused(const Flax& flax, const std::string& file, const char* why) {
  CAPTURE(why);
  CHECK_THROWS_WITH(read_weights(flax.format, file), why);
}

}  // namespace

TEST_CASE("flax: maps and lists become dotted names, other leaves are passed over") {
  const Flax flax;
  const std::string file = "\x84\xa6params\x92"s + bytes_array(2) +
                           file_of(bytes_array(3)) +  // a list of two
                           "\x05\x81\xa1"
                           "b" +
                           bytes_array(1) +  // a number as key
                           "\xa4rest\x99\xc0\xc2\xc3\x7f\xff\xcb" + std::string(8, '\1') +
                           "\xd1\xff\xfe\xd6\2"
                           "abcd" +
                           "\xc4\1z" +
                           "\xa5"
                           "empty\x80";
  REQUIRE(recognises_weights(flax.format, file));
  const ReadWeights read = read_weights(flax.format, file);
  CHECK(read.names == std::vector<std::string>{"params.0", "params.1.w", "5.b"});
  CHECK(read.tensors.at("params.1.w").bytes == "xxx");
  CHECK(read.tensors.at("params.1.w").dtype == VISSL_U8);
  CHECK(read.tensors.at("params.1.w").shape == std::vector<std::int64_t>{3});
}

TEST_CASE("flax: the pieces of a large array are put together") {
  const Flax flax;
  const auto chunked = [](const std::string& shape, const std::string& pieces) {
    return file_of("\x83"s + kChunkMark + "\xa5shape" + shape +
                   "\xa6"
                   "chunks" +
                   pieces);
  };
  const std::string pieces =
      "\x82\xa1"
      "0"s +
      bytes_array(4) +
      "\xa1"
      "1" +
      bytes_array(2);
  const ReadWeights read = read_weights(flax.format, chunked("\x82\xa1"
                                                             "0\2\xa1"
                                                             "1\3"s,
                                                             pieces));
  CHECK(read.tensors.at("w").shape == std::vector<std::int64_t>{2, 3});
  CHECK(read.tensors.at("w").bytes == "xxxxxx");
  refused(flax,
          chunked("\x81\xa1"
                  "0\7"s,
                  pieces),
          "the pieces of 'w' have 6 bytes, which do not fit its shape and type (byte 87); use "
          "another copy");
  refused(flax,
          chunked("\x81\xa1"
                  "0\6"s,
                  "\x81\xa1"
                  "1"s +
                      bytes_array(6)),
          "the pieces of 'w' are not in their order (byte 51); use another copy");
  refused(flax,
          chunked("\x81\xa1"
                  "0\6"s,
                  "\x81\xa1"
                  "0\6"s),
          "a piece of 'w' is no array (byte 52); use another copy");
  refused(flax,
          chunked("\x81\xa1"
                  "0\5"s,
                  "\x82\xa1"
                  "0"s +
                      bytes_array(4) +
                      "\xa1"
                      "1" +
                      array("\x93\x91\1\xa4int8\xc4\1x")),
          "the pieces of 'w' have several types (byte 85); use another copy");
  refused(flax, file_of("\x82"s + kChunkMark + "\xa5other\x80"),
          "the pieces of 'w' are described in another way (byte 38); use another copy");
}

TEST_CASE("flax: what torch has no type for is left out with a warning") {
  const Flax flax;
  const ReadWeights read = read_weights(flax.format,
                                        "\x82\xa1"
                                        "a"s +
                                            array("\x93\x91\1\xa4int4\xc4\1x"s) +
                                            "\xa1"
                                            "b" +
                                            bytes_array(1));
  CHECK(read.names == std::vector<std::string>{"b"});
  CHECK(read.warnings ==
        std::vector<std::string>{
            "leaves out 'a', which has the element type 'int4'; torch has none such"});
}

TEST_CASE("flax: other MessagePack and other files are not its own") {
  const Flax flax;
  for (const std::string& other : {""s, "\x80"s, "\x81"s, "\xdf"s,
                                   "\x81\xa1"
                                   "a\1"s,
                                   "\x93\1\2\3"s, "\x81\1"s + bytes_array(1),
                                   "\x81\xa1"
                                   "a"s +
                                       array("\x92\x90\xa5uint8"s),
                                   "\x81\xa1"
                                   "a"s +
                                       array("\x90"s, 5),
                                   "plain text"s, std::string(64, '\xff')})
    CHECK_FALSE(recognises_weights(flax.format, other));
  // An array behind thousands of numbers is not looked for.
  CHECK_FALSE(recognises_weights(flax.format,
                                 "\x82\xa1"
                                 "a\xdc\x20\x00"s +
                                     std::string(8192, '\1') +
                                     "\xa1"
                                     "b" +
                                     bytes_array(1)));
}

TEST_CASE("flax: damaged files are errors that say where") {
  const Flax flax;
  refused(flax,
          "\x82\xa1"
          "a"s +
              bytes_array(1),
          "ends too early (byte 18); use another copy");
  refused(flax, file_of(bytes_array(1)).substr(0, 12), "ends too early (byte 6); use another copy");
  refused(flax, file_of(bytes_array(1)) + "\xc0",
          "goes on after its end (byte 18); use another copy");
  refused(flax, file_of("\xc1"s), "has a byte that begins no item (byte 3); use another copy");
  refused(flax, "\x81\xc0\1"s, "has a key that is no text (byte 2); use another copy");
  // Counts far beyond the file cost neither memory nor time.
  refused(flax, "\xdf\xff\xff\xff\xff"s, "ends too early (byte 5); use another copy");
  refused(flax, file_of("\xdd\xff\xff\xff\xff\1"s), "ends too early (byte 9); use another copy");
  refused(flax, file_of("\xc9\xff\xff\xff\xff\1"s), "ends too early (byte 9); use another copy");
  refused(flax, "\x81\xdb\xff\xff\xff\xff"s, "ends too early (byte 6); use another copy");
  refused(flax, file_of(std::string(100'000, '\x91')),
          "is nested deeper than 64 levels (byte 67); use another copy");
  std::string deep;
  for (int i = 0; i < 40; ++i) deep += "\x81\xd9\xc8"s + std::string(200, 'k');
  refused(flax, deep, "has a name that is too long (byte 4263); use another copy");
  refused(flax, "\x81\xda\x10\x01"s + std::string(4097, 'k') + "\1",
          "has a key that is too long (byte 4101); use another copy");
}

TEST_CASE("flax: damaged arrays are errors that name them") {
  const Flax flax;
  const auto wrong = [&](const std::string& content, const char* why) {
    refused(flax, file_of(array(content)), why);
  };
  wrong("\x92\x90\xa5uint8"s,
        "the tensor 'w' is no list of shape, type and elements (byte 7); use another copy");
  wrong("\x93\1\xa5uint8\xc4\1x"s, "the tensor 'w' has no shape (byte 8); use another copy");
  wrong("\x93\x99\1\1\1\1\1\1\1\1\1\xa5uint8\xc4\1x"s,
        "the tensor 'w' has more than 8 dimensions (byte 8); use another copy");
  wrong("\x93\x91\xff\xa5uint8\xc4\1x"s,
        "the tensor 'w' has a size that is no whole number (byte 9); use another copy");
  wrong("\x93\x91\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xa5uint8\xc4\1x"s,
        "the tensor 'w' has a size that is no whole number (byte 17); use another copy");
  wrong("\x93\x91\1\1\xc4\1x"s, "the tensor 'w' has no element type (byte 10); use another copy");
  wrong("\x93\x91\1\xa5uint8\1"s, "the tensor 'w' has no elements (byte 16); use another copy");
  refused(flax, "\x82\xa1w"s + array("\x93\x91\1\xa5uint8\xc4\2x"s) + "\xa1v\1",
          "has an array with too short a content (byte 17); use another copy");
  wrong("\x93\x91\2\xa5uint8\xc4\1x"s,
        "the tensor 'w' has 1 bytes, which do not fit its shape and type (byte 18); use another "
        "copy");
  wrong("\x93\x92\xcf\1\0\0\0\0\0\0\0\xcf\1\0\0\0\0\0\0\0\xa5uint8\xc4\1x"s,
        "the tensor 'w' has 1 bytes, which do not fit its shape and type (byte 35); use another "
        "copy");
}
