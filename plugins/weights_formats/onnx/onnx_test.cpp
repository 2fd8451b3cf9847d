#include <doctest/doctest.h>

#include <string>
#include <vissl/test.hpp>
#include <vissl/test/weights_files.hpp>

using namespace std::string_literals;
using vissl::test::read_weights;
using vissl::test::ReadWeights;
using vissl::test::recognises_weights;

namespace {

struct Onnx {
  vissl::test::Host host;
  vissl::test::Instance format;
  Onnx()
      : format((host.load(std::string(VISSL_PLUGIN_DIR) + "/onnx.so"),
                host.component("weights_format", "onnx").create())) {}
};

// Of less than 2^14 bytes.
std::string field(int number, const std::string& content) {
  const auto length = [](std::size_t size) {
    const auto low = static_cast<char>(size & 0x7f), high = static_cast<char>(size >> 7);
    return size < 0x80 ? std::string(1, low) : std::string{static_cast<char>(low | 0x80), high};
  };
  return static_cast<char>(number << 3 | 2) + length(content.size()) + content;
}

// A model with these initializers.
std::string model(const std::string& graph) {
  return "\x08\x08"s + field(7, graph);
}
std::string tensor(const std::string& rest, const std::string& name = "w") {
  return field(5, rest + field(8, name));
}

const std::string kTwoFloats = "\x08\2\x10\1"s + field(9, std::string(8, 'x'));  // raw

void refused(const Onnx& onnx, const std::string& file, const char* why) {
  CAPTURE(why);
  CHECK_THROWS_WITH(read_weights(onnx.format, file), why);
}

}  // namespace

TEST_CASE("onnx: sizes and elements are read in every way that they are written") {
  const Onnx onnx;
  const ReadWeights read = read_weights(
      onnx.format,
      model(tensor(kTwoFloats, "raw") +
            tensor(field(1, "\1\2"s) + "\x10\1" + field(4, "12345678"), "packed sizes") +
            tensor("\x08\2\x10\1"s + field(4, "1234") + field(4, "5678"), "in two pieces") +
            tensor("\x08\2\x10\x0a"s + field(5, "\x80\x78\1"s), "numbers") +
            tensor("\x10\7"s + field(7, "\xfe" + std::string(8, '\xff') + '\1'), "negative") +
            tensor("\x08\0\x10\1"s, "nothing")));
  CHECK(read.tensors.at("raw").bytes == "xxxxxxxx");
  CHECK(read.tensors.at("packed sizes").shape == std::vector<std::int64_t>{1, 2});
  CHECK(read.tensors.at("packed sizes").bytes == "12345678");
  CHECK(read.tensors.at("in two pieces").bytes == "12345678");
  CHECK(read.tensors.at("numbers").bytes == "\0\x3c\1\0"s);
  CHECK(read.tensors.at("numbers").dtype == VISSL_F16);
  CHECK(read.tensors.at("negative").bytes == "\xfe"s + std::string(7, '\xff'));
  CHECK(read.tensors.at("nothing").bytes.empty());
}

TEST_CASE("onnx: what the model says about itself, and what is left out") {
  const Onnx onnx;
  const ReadWeights read = read_weights(
      onnx.format,
      "\x08\x08"s + field(2, "pytorch") + field(3, "2.11") +
          field(14, field(1, "task") + field(2, "none")) +
          field(7, tensor("\x08\1\x10\x08"s, "text") + field(15, "") + tensor(kTwoFloats)));
  CHECK(read.names == std::vector<std::string>{"w"});
  CHECK(read.metadata.at("producer") == "pytorch 2.11");
  CHECK(read.metadata.at("task") == "none");
  CHECK(read.warnings ==
        std::vector<std::string>{
            "leaves out 'text', which has ONNX's element type 8; torch has none such",
            "has a sparse initializer, which is left out"});
}

TEST_CASE("onnx: equal initializers, which exporters write once, have all their names") {
  const Onnx onnx;
  const auto node = [](const std::string& type, const std::string& from, const std::string& to) {
    return field(1, field(1, from) + field(2, to) + field(4, type));
  };
  const ReadWeights read = read_weights(
      onnx.format,
      model(node("Identity", "w", "a") + node("Identity", "a", "b") + node("Relu", "w", "c") +
            node("Identity", "unknown", "d") + node("Identity", "w", "v") + field(1, "") +
            tensor(kTwoFloats) + tensor("\x08\1\x10\2"s + field(9, "v"), "v")));
  CHECK(read.names == std::vector<std::string>{"w", "v", "a", "b"});
  CHECK(read.tensors.at("v").bytes == "v");
  CHECK(read.tensors.at("b").bytes == "xxxxxxxx");
}

TEST_CASE("onnx: other files are not its own, a cut model is") {
  const Onnx onnx;
  const std::string whole = model(tensor(kTwoFloats));
  CHECK(recognises_weights(onnx.format, whole));
  CHECK(recognises_weights(onnx.format, whole.substr(0, 8)));
  for (const std::string& other :
       {""s, "\x08"s, "\x08\x08"s, "\x08\x00"s + whole.substr(2), "\x08\x7f"s + whole.substr(2),
        whole.substr(2), "\x10\x08"s + whole.substr(2), "\x08\x08\x3a\x02\x4a\x01"s,
        "\x08\x08\x3a\x02\x28\x01"s, "\x08\x08\x4a\x01x"s + whole.substr(2), "\x08\x08\x38\x01"s,
        std::string(64, '\x08'), "a text"s})
    CHECK_FALSE(recognises_weights(onnx.format, other));
}

TEST_CASE("onnx: damaged files are errors that say where") {
  const Onnx onnx;
  const std::string whole = model(tensor(kTwoFloats));
  refused(onnx, whole.substr(0, whole.size() - 1), "ends too early (byte 4); use another copy");
  refused(onnx, whole + "\x3a", "ends too early (byte 24); use another copy");
  refused(onnx, whole + "\x3b", "has a field of an unknown type (byte 24); use another copy");
  refused(onnx, whole + "\3", "has a field without a number (byte 24); use another copy");
  refused(onnx, whole + "\x08" + std::string(10, '\xff'),
          "has a number of more than 64 bits (byte 34); use another copy");
  refused(onnx, model(field(5, "\x42\5w"s)) + field(2, "behind it"),
          "has a field that is longer than the message around it (byte 8); use another copy");
  const auto wrong = [&](const std::string& rest, const char* why) {
    refused(onnx, model(tensor(rest)), why);
  };
  wrong("\x08\3\x10\1"s + field(9, std::string(8, 'x')),
        "the tensor 'w' has 8 bytes, which do not fit its shape and type (byte 23); use another "
        "copy");
  wrong("\x08\3\x10\1"s, "the tensor 'w' has no elements of its type (byte 13); use another copy");
  wrong("\x08\3\x10\1"s + field(5, "\1\2\3"),
        "the tensor 'w' has no elements of its type (byte 18); use another copy");
  wrong("\x08\3\x10\6"s + field(5, "\1\2"), "has fewer elements than its shape; use another copy");
  wrong("\x08\1\x10\6"s + field(5, "\1\2"), "has more elements than its shape; use another copy");
  wrong("\x10\1\x20\1"s, "has elements that are not packed (byte 10); use another copy");
  wrong("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"s,
        "has a tensor with a negative size (byte 17); use another copy");
  wrong(field(1, "\1\1\1\1\1\1\1\1\1"),
        "has a tensor with more than 8 sizes (byte 17); use another copy");
  wrong("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x40\x08\x80\x80\x80\x80\x80\x80\x80\x80\x40\x10\1"s,
        "the tensor 'w' has more elements than can be counted (byte 31); use another copy");
  wrong("\x08\1\x10\1\x70\1"s + field(13, field(1, "offset") + field(2, "-4")),
        "has the offset '-4' of a data file (byte 26); use another copy");
  wrong("\x08\1\x10\1\x70\1"s,
        "the tensor 'w' lies in the data file '', which is no place beside the model; refused");
  wrong("\x08\1\x10\1\x70\1"s + field(13, field(1, "location") + field(2, "w.bin")),
        "the tensor 'w' lies in the data file 'w.bin', but the model is part of another file; "
        "unpack it first");
}
