#include "host/files/torch_zip_reader.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "host/files/error.hpp"
#include "host/files/sink.hpp"
#include "host/files/torch_zip_writer.hpp"
#include "temp_folder.hpp"

namespace {

using namespace vissl::host;
using vissl::test::read_file;
using vissl::test::TempFolder;
using vissl::test::write_file;

Node golden(const std::string& name) {
  return read_torch_zip(std::string(VISSL_SOURCE_DIR) + "/tests/golden/torch_zip/" + name);
}

template <class T>
std::vector<T> elements(const Node& node) {
  const auto bytes = node.as_tensor().packed();
  std::vector<T> out(bytes.size() / sizeof(T));
  if (!out.empty()) std::memcpy(out.data(), bytes.data(), out.size() * sizeof(T));
  return out;
}

// Elements 0, 1, 2, ... as the golden files hold them.
std::vector<float> counted(int count) {
  std::vector<float> out;
  for (int i = 0; i < count; ++i) out.push_back(static_cast<float>(i));
  return out;
}

// What loading `bytes` gives: "" if it loads and equals `whole`, else the error's text.
std::string outcome(const std::string& bytes, const Node& whole) {
  // Exactly as large as the file, so that a sanitizer sees any read beyond its end.
  auto copy = std::make_shared<std::vector<std::byte>>(bytes.size());
  std::ranges::copy(std::as_bytes(std::span(bytes)), copy->begin());
  try {
    const Node tree = read_torch_zip(std::span<const std::byte>(*copy), copy, "small.torch");
    return same_values(tree, whole) ? "" : "DIFFERENT VALUES";
  } catch (const Error& error) {
    if (error.code() != Exit::bad_data) return "WRONG EXIT CODE";
    return error.what();
  }
}

std::string small_checkpoint() {
  const std::vector<float> weights = counted(6);
  Node tree = Node::dict();
  tree["classy_state_dict"]["base_model"] = Node::ordered_dict();
  tree["classy_state_dict"]["base_model"]["weight"] = TensorRef::contiguous(
      DType::float32, {2, 3}, Storage::copy_of(std::as_bytes(std::span(weights))));
  tree["iteration"] = 12;
  tree["blob"] = Bytes{std::string("\x00\xff", 2)};
  MemorySink sink;
  write_torch_zip(sink, tree);
  return {reinterpret_cast<const char*>(sink.data.data()), sink.data.size()};
}

}  // namespace

TEST_CASE("torch zip: every element type of torch.save is read") {
  const Node tree = golden("dtypes.pth");
  CHECK(tree.as_dict().size() == 17);
  for (const auto& entry : tree.as_dict().entries()) {
    const TensorRef& tensor = entry.value.as_tensor();
    CHECK(facts(tensor.dtype).name == to_text(entry.key));
    CHECK(tensor.shape == std::vector<std::int64_t>{2, 3});
  }
  CHECK(elements<float>(tree.at("float32")) == counted(6));
  CHECK(elements<double>(tree.at("float64")) == std::vector<double>{0, 1, 2, 3, 4, 5});
  CHECK(elements<std::int64_t>(tree.at("int64")) == std::vector<std::int64_t>{0, 1, 2, 3, 4, 5});
  CHECK(elements<std::uint16_t>(tree.at("uint16")) == std::vector<std::uint16_t>{0, 1, 2, 3, 4, 5});
  CHECK(elements<std::uint8_t>(tree.at("bool")) == std::vector<std::uint8_t>{0, 1, 0, 1, 0, 1});
  CHECK(elements<std::uint16_t>(tree.at("bfloat16")) ==
        std::vector<std::uint16_t>{0, 0x3f80, 0x4000, 0x4040, 0x4080, 0x40a0});
  CHECK(elements<float>(tree.at("complex64")) ==
        std::vector<float>{0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0});
}

TEST_CASE("torch zip: a module's state dict is an ordered dict with its metadata") {
  const Node tree = golden("state_dict.pth");
  const Dict& dict = tree.as_dict();
  CHECK(dict.is_ordered_dict);
  CHECK(to_text(dict.entries().front().key) == "0.weight");
  CHECK(elements<float>(tree.at("0.weight")) == counted(6));
  CHECK(elements<std::int64_t>(tree.at("1.num_batches_tracked")) == std::vector<std::int64_t>{0});
  REQUIRE(dict.attributes != nullptr);
  CHECK(dict.attributes->at("_metadata").at("1").at("version").as_int() == 2);
}

TEST_CASE("torch zip: views keep their strides and share their storage") {
  for (const char* name : {"views.pth", "deflated.pth", "big_endian.pth"}) {
    CAPTURE(name);
    const Node tree = golden(name);
    const TensorRef& base = tree.at("base").as_tensor();
    CHECK(tree.at("column").as_tensor().storage == base.storage);
    CHECK(tree.at("transposed").as_tensor().strides == std::vector<std::int64_t>{1, 6});
    CHECK(elements<float>(tree.at("base")) == counted(24));
    CHECK(elements<float>(tree.at("column")) == std::vector<float>{2, 8, 14, 20});
    CHECK(elements<float>(tree.at("tail")).front() == 12.0f);
    CHECK(elements<float>(tree.at("transposed"))[1] == 6.0f);
    CHECK(elements<float>(tree.at("expanded")) == std::vector<float>(6, 0.0f));
    CHECK(elements<float>(tree.at("channels_last")) == counted(24));
    CHECK(!tree.at("channels_last").as_tensor().is_contiguous());
    CHECK(elements<float>(tree.at("scalar")) == std::vector<float>{7});
    CHECK(tree.at("scalar").as_tensor().shape.empty());
    CHECK(tree.at("empty").as_tensor().shape == std::vector<std::int64_t>{0, 5});
    CHECK(tree.at("parameter").as_tensor().is_parameter);
    CHECK(tree.at("parameter").as_tensor().requires_grad);
  }
}

TEST_CASE("torch zip: plain values keep kind and value") {
  const Node tree = golden("values.pth");
  CHECK(tree.at("none").is_none());
  CHECK(tree.at("true").as_bool());
  CHECK(!tree.at("false").as_bool());
  std::vector<std::int64_t> ints;
  for (const Node& item : tree.at("ints").as_items()) ints.push_back(item.as_int());
  CHECK(ints == std::vector<std::int64_t>{0, 255, 256, 65535, 65536, -1, 2147483647, -2147483648,
                                          2147483648, INT64_MAX, INT64_MIN});
  const auto& floats = tree.at("floats").as_items();
  CHECK(floats[0].as_real() == 0.5);
  CHECK(std::signbit(floats[1].as_real()));
  CHECK(floats[2].as_real() == 1e300);
  CHECK(std::isinf(floats[3].as_real()));
  CHECK(tree.at("text").as_text() == "Grüße, 世界");
  CHECK(tree.at("empty_text").as_text().empty());
  std::string all_bytes;
  for (int i = 0; i < 256; ++i) all_bytes += static_cast<char>(i);
  CHECK(tree.at("bytes").as_bytes() == all_bytes);
  CHECK(tree.at("tuple").kind() == Node::Kind::tuple);
  CHECK(tree.at("pair").as_items()[1].as_text() == "two");
  CHECK(tree.at("nested").as_items()[0].as_items()[0].as_items().empty());
  CHECK(tree.at(std::int64_t{7}).as_text() == "int key");
  CHECK(tree.at("size").as_items()[1].as_int() == 3);
  CHECK(to_text(tree.at("ordered").as_dict().entries().front().key) == "b");
}

TEST_CASE("torch zip: an optimizer's state is found under its int keys") {
  const Node tree = golden("optimizer.pth");
  CHECK(elements<float>(tree.at("state").at(std::int64_t{0}).at("momentum_buffer")) ==
        std::vector<float>{1, 1, 1});
  CHECK(tree.at("param_groups").as_items()[0].at("lr").as_real() == 0.1);
}

TEST_CASE("torch zip: objects of foreign classes are named and never built") {
  const Node tree = golden("foreign.pth");
  const Opaque& args = tree.at("args").as_opaque();
  CHECK(args.class_name == "argparse.Namespace");
  CHECK(args.parts.back().first == "state");
  CHECK(args.parts.back().second.at("arch").as_text() == "resnet50");
  CHECK(tree.at("set").kind() == Node::Kind::opaque);
  CHECK(tree.at("dtype").as_opaque().class_name == "torch.float32");
  CHECK(tree.at("device").as_text() == "cpu");
  CHECK(elements<float>(tree.at("weight")) == counted(2));
}

TEST_CASE("torch zip: every golden file is written back and read again with equal values") {
  for (const char* name : {"dtypes.pth", "state_dict.pth", "views.pth", "values.pth"}) {
    CAPTURE(name);
    const Node tree = golden(name);
    TempFolder folder;
    for (const std::uint64_t zip64_from : {std::uint64_t{0xffffffff}, std::uint64_t{1}}) {
      MemorySink sink;
      write_torch_zip(sink, tree, {.root = "archive", .zip64_from = zip64_from});
      auto bytes = std::make_shared<std::vector<std::byte>>(std::move(sink.data));
      const Node again = read_torch_zip(std::span<const std::byte>(*bytes), bytes, "again");
      CHECK(same_values(again, tree));
    }
  }
}

TEST_CASE("torch zip: a checkpoint cut at any byte is refused with one sentence") {
  const std::string whole = small_checkpoint();
  const Node tree = golden("values.pth");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string text = outcome(whole.substr(0, size), tree);
    CAPTURE(size);
    REQUIRE(text.starts_with("small.torch: "));
    REQUIRE(text.ends_with("the file is damaged or incomplete, use another copy"));
  }
}

TEST_CASE("torch zip: a flipped bit is refused or changes no value") {
  const std::string whole = small_checkpoint();
  auto copy = std::make_shared<std::vector<std::byte>>(whole.size());
  std::ranges::copy(std::as_bytes(std::span(whole)), copy->begin());
  const Node tree = read_torch_zip(std::span<const std::byte>(*copy), copy, "whole");
  std::size_t harmless = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = whole;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      const std::string text = outcome(flipped, tree);
      CAPTURE(at);
      CAPTURE(bit);
      REQUIRE((text.empty() || text.starts_with("small.torch: ")));
      harmless += text.empty() ? 1 : 0;
    }
  }
  // Only padding, dates and version marks may change unseen.
  CHECK(harmless < whole.size() * 8 / 2);
  const std::size_t data = whole.find("archive/data/0") + 14;
  const std::size_t weights = (data + 63) / 64 * 64;
  for (std::size_t at = weights; at < weights + 24; ++at) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 1);
    CHECK(outcome(flipped, tree).find("has a wrong checksum") != std::string::npos);
  }
}

TEST_CASE("torch zip: without verification only the pickle's checksum is compared") {
  TempFolder folder;
  std::string bytes = small_checkpoint();
  const std::size_t weights = (bytes.find("archive/data/0") + 14 + 63) / 64 * 64;
  bytes[weights] = 1;
  write_file(folder / "a.torch", bytes);
  CHECK_THROWS_AS(read_torch_zip(folder / "a.torch"), Error);
  const Node tree = read_torch_zip(folder / "a.torch", {.verify = false});
  CHECK(tree.at("iteration").as_int() == 12);
}

TEST_CASE("torch zip: a file that was written without checksums has nothing to compare") {
  TempFolder folder;
  std::string bytes = small_checkpoint();
  for (const auto& [mark, field] : {std::pair<std::string, std::size_t>{"PK\x03\x04", 14},
                                    {"PK\x01\x02", 16},
                                    {"PK\x07\x08", 4}})
    for (std::size_t at = 0; (at = bytes.find(mark, at)) != std::string::npos; at += 4)
      bytes.replace(at + field, 4, 4, '\0');
  write_file(folder / "a.torch", bytes);
  CHECK(read_torch_zip(folder / "a.torch").at("iteration").as_int() == 12);
  const std::size_t central = bytes.find("PK\x01\x02");  // one that is given counts for all
  const std::size_t local = bytes.find("PK\x03\x04");
  bytes[central + 16] = bytes[local + 14] = 1;
  write_file(folder / "a.torch", bytes);
  CHECK_THROWS_AS(read_torch_zip(folder / "a.torch"), Error);
}

TEST_CASE("torch zip: other files are refused by name and remedy") {
  TempFolder folder;
  const auto message = [&folder](const std::string& name) -> std::string {
    try {
      read_torch_zip(folder / name);
    } catch (const Error& error) {
      CHECK(error.code() == Exit::bad_data);
      return std::string(error.what()).substr(folder.path().string().size() + 1);
    }
    return "no error";
  };
  CHECK(message("absent.torch") ==
        "absent.torch: cannot be read: No such file or directory; check the path and its "
        "permissions");
  write_file(folder / "empty.torch", "");
  CHECK(message("empty.torch") ==
        "empty.torch: is not a zip file (byte 0); the file is damaged or incomplete, use another "
        "copy");
  std::filesystem::copy_file(std::string(VISSL_SOURCE_DIR) + "/tests/golden/torch_zip/legacy.pth",
                             folder / "legacy.pth");
  CHECK(message("legacy.pth").starts_with("legacy.pth: is not a zip file (byte 0)"));
  std::filesystem::create_directory(folder / "folder");
  CHECK(message("folder") == "folder: is not a regular file; name a file");
}
