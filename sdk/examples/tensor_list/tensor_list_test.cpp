#include <doctest/doctest.h>

#include <vissl/test.hpp>
#include <vissl/test/weights_files.hpp>

using vissl::test::Host;
using vissl::test::read_weights;
using vissl::test::recognises_weights;

namespace {

struct Loaded {
  Host host;
  vissl::test::Instance format;
  Loaded()
      : format((host.load(PLUGIN), host.component("weights_format", "tensor_list").create())) {}
};

}  // namespace

TEST_CASE("tensor_list: names, sizes and comments are the header's, elements follow without gaps") {
  const Loaded loaded;
  const std::string head = "TENSORS 1\n# by hand\nu8 2 3 a.weight\ni64 steps of it\nu8 0 none\n\n";
  REQUIRE(recognises_weights(loaded.format, head));
  const auto read = read_weights(loaded.format, head + "abcdef" + std::string(8, '\1'));
  CHECK(read.names == std::vector<std::string>{"a.weight", "steps of it", "none"});
  CHECK(read.tensors.at("a.weight").shape == std::vector<std::int64_t>{2, 3});
  CHECK(read.tensors.at("a.weight").bytes == "abcdef");
  CHECK(read.tensors.at("steps of it").dtype == VISSL_I64);
  CHECK(read.tensors.at("steps of it").shape.empty());
  CHECK(read.tensors.at("steps of it").bytes == std::string(8, '\1'));
  CHECK(read.tensors.at("none").bytes.empty());
  CHECK(read.metadata.at("comment") == " by hand");
}

TEST_CASE("tensor_list: other files are not its own, damaged ones are errors") {
  const Loaded loaded;
  for (const char* other : {"", "TENSORS", "TENSORS 2\n\n", "PK\3\4"})
    CHECK_FALSE(recognises_weights(loaded.format, other));
  const auto refused = [&](const std::string& rest, const char* why) {
    CHECK_THROWS_WITH(read_weights(loaded.format, "TENSORS 1\n" + rest), why);
  };
  refused("", "ends inside its header; use another copy");
  refused("f32 2 a\nf32", "ends inside its header; use another copy");
  refused("f32 2 a\n\n1234567", "the tensor 'a' does not lie in the file");
  refused("c64 2 a\n\n", "has a line that does not begin with f32, f64, f16, bf16, i64 or u8");
  refused("f32 2 3\n\n", "has a line without a name");
  refused("f32\n\n", "has a line without a name");
  refused("u8 1 1 1 1 1 1 1 1 1 a\n\n", "has a tensor with more than 8 sizes");
  refused("u8 999999999999999 999999999999999 a\n\n",
          "has a tensor with more elements than can be counted");
}
