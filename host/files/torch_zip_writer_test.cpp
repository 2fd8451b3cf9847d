#include "host/files/torch_zip_writer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "host/files/error.hpp"
#include "temp_folder.hpp"

namespace {

using namespace vissl::host;
using vissl::test::read_file;
using vissl::test::write_file;

template <class T>
std::shared_ptr<Storage> storage_of(std::vector<T> values) {
  return Storage::copy_of(std::as_bytes(std::span(values)));
}

// What scripts/oracle/check_torch_load.py expects in tests/golden/torch_zip/ours.torch.
Node every_kind() {
  Node tree = Node::dict();
  tree["none"] = Node{};
  tree["bools"] = List{{true, false}};
  tree["ints"] = List{{0, 255, 256, 65535, 65536, -1, INT64_MAX, INT64_MIN}};
  tree["floats"] = List{{0.5, -0.0, 1e300, std::nan("")}};
  tree["text"] = "Grüße, 世界";
  std::string all_bytes;
  for (int i = 0; i < 256; ++i) all_bytes += static_cast<char>(i);
  tree["bytes"] = Bytes{all_bytes};
  tree["tuples"] = List{{Tuple{}, Tuple{{1}}, Tuple{{1, "two", Tuple{}}}}};
  tree["empty"] = List{{Node::dict(), Node::list(), Node::ordered_dict()}};
  tree[std::int64_t{7}] = "int key";

  const auto shared = storage_of<float>({0, 1, 2, 3, 4, 5});
  Node& state = tree["state_dict"] = Node::ordered_dict();
  state["weight"] = TensorRef::contiguous(DType::float32, {2, 3}, shared);
  TensorRef transposed = TensorRef::contiguous(DType::float32, {2, 3}, shared);
  transposed.shape = {3, 2};
  transposed.strides = {1, 3};
  state["transposed"] = transposed;
  TensorRef tail = TensorRef::contiguous(DType::float32, {2}, shared);
  tail.offset = 4;
  state["tail"] = tail;
  TensorRef parameter = TensorRef::contiguous(DType::float32, {1}, storage_of<float>({7}));
  parameter.is_parameter = true;
  parameter.requires_grad = true;
  state["parameter"] = parameter;
  state["scalar"] = TensorRef::contiguous(DType::int64, {}, storage_of<std::int64_t>({9}));
  state["nothing"] = TensorRef::contiguous(DType::float32, {0, 5}, Storage::allocate(0));
  Node metadata = Node::dict();
  metadata["_metadata"] = Node::ordered_dict();
  metadata["_metadata"][""]["version"] = 1;
  state.as_dict().attributes = std::make_shared<const Node>(std::move(metadata));

  Node& types = tree["types"] = Node::dict();
  for (const DType dtype :
       {DType::uint8, DType::int8, DType::int16, DType::int32, DType::int64, DType::float16,
        DType::float64, DType::complex32, DType::complex64, DType::complex128, DType::boolean,
        DType::bfloat16, DType::uint16, DType::uint32, DType::uint64, DType::float8_e5m2,
        DType::float8_e4m3fn}) {
    auto zeros = Storage::allocate(2 * size_bytes(dtype));
    std::ranges::fill(zeros->writable(), std::byte{0});
    types[std::string(facts(dtype).name)] = TensorRef::contiguous(dtype, {2}, zeros);
  }
  return tree;
}

std::string written(const Node& tree, const TorchZipOptions& options = {}) {
  MemorySink sink;
  write_torch_zip(sink, tree, options);
  return {reinterpret_cast<const char*>(sink.data.data()), sink.data.size()};
}

std::string refusal(const Node& tree) {
  try {
    written(tree);
  } catch (const Error& error) {
    CHECK(error.code() == Exit::run_failed);
    return error.what();
  }
  return "no error";
}

// Writes what was met beside the test when it differs, to be looked at and copied.
void check_golden(const std::string& name, const std::string& bytes) {
  const std::string golden =
      read_file(std::string(VISSL_SOURCE_DIR) + "/tests/golden/torch_zip/" + name);
  const bool is_equal = bytes == golden;
  if (!is_equal) write_file(name, bytes);
  CHECK(is_equal);
}

}  // namespace

TEST_CASE("torch zip: the bytes equal those that Python was seen to load") {
  check_golden("ours.torch", written(every_kind()));
  check_golden("ours_zip64.torch", written(every_kind(), {.root = "archive", .zip64_from = 1}));
}

TEST_CASE("torch zip: equal trees give equal bytes") {
  CHECK(written(every_kind()) == written(every_kind()));
}

TEST_CASE("torch zip: data begins at multiples of 64 bytes") {
  const std::string bytes = written(every_kind());
  std::size_t entries = 0;
  for (std::size_t at = bytes.find("PK\x03\x04"); at != std::string::npos;
       at = bytes.find("PK\x03\x04", at + 1)) {
    const auto u16 = [&bytes](std::size_t i) {
      return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i])) +
             (static_cast<std::size_t>(static_cast<unsigned char>(bytes[i + 1])) << 8);
    };
    CHECK((at + 30 + u16(at + 26) + u16(at + 28)) % 64 == 0);
    ++entries;
  }
  CHECK(entries == 26);
}

TEST_CASE("torch zip: what the format cannot hold is refused before anything is written") {
  Node tree = Node::dict();
  SUBCASE("text that is not UTF-8") {
    tree["text"] = "\xff";
    CHECK(refusal(tree).find("is not UTF-8 and cannot be saved; save it as bytes") !=
          std::string::npos);
  }
  SUBCASE("a tensor outside its storage") {
    tree["weight"] = TensorRef::contiguous(DType::float32, {3}, Storage::allocate(8));
    CHECK(refusal(tree) == "cannot save a tensor that reaches beyond its storage");
  }
  SUBCASE("a quantised tensor, whose scale has no place") {
    tree["weight"] = TensorRef::contiguous(DType::qint8, {2}, Storage::allocate(2));
    CHECK(refusal(tree) ==
          "cannot save a tensor of the quantised type qint8 without its scale; make it float32 "
          "first");
  }
  SUBCASE("one storage as two element types") {
    const auto storage = Storage::allocate(8);
    tree["a"] = TensorRef::contiguous(DType::float32, {2}, storage);
    tree["b"] = TensorRef::contiguous(DType::int32, {2}, storage);
    CHECK(refusal(tree) ==
          "two tensors share memory as float32 and as int32, which the file format cannot hold; "
          "copy one of them");
  }
  SUBCASE("an object of a foreign class") {
    tree["args"] = Opaque{"argparse.Namespace", {}};
    CHECK(refusal(tree) ==
          "an object of the foreign class 'argparse.Namespace' cannot be saved; drop it or save "
          "its values");
  }
  SUBCASE("a tree that is too deep") {
    Node deep;
    for (int i = 0; i < 1100; ++i) deep = List{{std::move(deep)}};
    CHECK(refusal(deep) == "what is to be saved is nested deeper than 1000 levels; flatten it");
  }
}
