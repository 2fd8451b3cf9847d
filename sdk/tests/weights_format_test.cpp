// A format of weights, written as an author would, called through its class table.
#include <doctest/doctest.h>

#include <vissl/test.hpp>
#include <vissl/test/weights_files.hpp>
#include <vissl/weights_format.hpp>

using namespace vissl;

namespace {

int g_files = 0;  // opened ones

// "MIXED": a big-endian number in the file, and two tensors that are made of its last byte.
struct Mixed {
  struct File {
    File(const WeightsBytes& of) : bytes(of) { ++g_files; }
    File(File&& other) noexcept : bytes(other.bytes) { ++g_files; }
    ~File() { --g_files; }
    void read(std::uint64_t tensor, void* data, std::uint64_t size) const {
      if (tensor == 3) fail(VISSL_E_DATA, "the third is cut off");
      std::memset(data, bytes.data()[bytes.size() - 1], static_cast<std::size_t>(size));
    }
    WeightsBytes bytes;
  };
  bool recognise(const WeightsBytes& file) const { return file.starts_with("MIXED"); }
  File open(const WeightsBytes& file, const WeightsTensors& out) const {
    out.made("first", VISSL_F16, {2, 1});
    out.in_file("number", VISSL_I16, {}, 5, true);
    out.made("second", VISSL_U8, {1});
    if (file.size() > 8) out.made("third", VISSL_U8, {1});
    out.metadata("number", std::to_string(file.number<std::uint8_t>(6)));
    out.warning("at " + std::string(file.path()));
    return File(file);
  }
  std::string sample() const { return std::string("MIXED\1\2!"); }
};

struct Plain {
  bool recognise(const WeightsBytes& file) const {
    if (file.size() == 1) fail("one byte is too few");
    return file.size() > 1;
  }
  void open(const WeightsBytes& file, const WeightsTensors& out) const {
    const std::vector<std::int64_t> shape(file.number<std::uint8_t>(0), 1);
    out.in_file("all", VISSL_U8, shape, 1);
    out.in_file("all", VISSL_U8, {}, 1);
  }
};

}  // namespace

TEST_CASE("weights format: tensors of the file, made ones, metadata and warnings reach the host") {
  test::Host host;
  host.load_self();
  const test::Instance format = host.component("weights_format", "mixed").create();
  const std::string file = test::sample_of(format);
  CHECK(test::recognises_weights(format, file));
  CHECK_FALSE(test::recognises_weights(format, "MIX"));
  CHECK_FALSE(test::recognises_weights(format, ""));
  const test::ReadWeights read = test::read_weights(format, file, "/data/a.mixed");
  CHECK(read.names == std::vector<std::string>{"first", "number", "second"});
  CHECK(read.tensors.at("first").bytes == "!!!!");
  CHECK(read.tensors.at("first").shape == std::vector<std::int64_t>{2, 1});
  CHECK(read.tensors.at("number").bytes == "\2\1");
  CHECK(read.tensors.at("number").shape.empty());
  CHECK(read.tensors.at("second").bytes == "!");
  CHECK(read.metadata.at("number") == "2");
  CHECK(read.warnings == std::vector<std::string>{"at /data/a.mixed"});
  CHECK(g_files == 0);
}

TEST_CASE("weights format: what a file lacks is VISSL_E_DATA, and an opened file is closed") {
  test::Host host;
  host.load_self();
  const test::Instance mixed = host.component("weights_format", "mixed").create();
  CHECK_THROWS_WITH_AS(test::read_weights(mixed, "MIXED\1\2!!"), "the third is cut off", Failure);
  CHECK(g_files == 0);
  try {
    test::read_weights(mixed, "MIXED\1");
    FAIL("a number beyond the file was read");
  } catch (const Failure& failure) {
    CHECK(failure.status() == VISSL_E_DATA);
    // The file's end is met by the host first: it checks each tensor when it is named.
    CHECK(std::string(failure.what()) == "the tensor 'number' does not lie in the file");
  }
  CHECK(g_files == 0);
}

TEST_CASE("weights format: without tensors to make there is no read, no close and no sample") {
  test::Host host;
  host.load_self();
  const test::Instance plain = host.component("weights_format", "plain").create();
  const auto& table = plain.table<vissl_weights_format_class>(VISSL_WEIGHTS_FORMAT_ID);
  CHECK((table.read == nullptr));
  CHECK((table.close == nullptr));
  CHECK((table.sample == nullptr));
  CHECK_THROWS_WITH(test::recognises_weights(plain, "x"), "one byte is too few");
  CHECK_THROWS_WITH(test::read_weights(plain, "\1x"), "a name is empty or stands twice: 'all'");
  CHECK_THROWS_WITH(test::read_weights(plain, "\x09x"),
                    "the tensor 'all' has 9 dimensions, more than 8");
  CHECK_THROWS_WITH(test::read_weights(plain, ""),
                    "ends after 0 bytes, before what stands at 0; use another copy");
}

VISSL_WEIGHTS_FORMAT(Mixed, "mixed", "Some in the file, some made.")
VISSL_WEIGHTS_FORMAT(Plain, "plain", "All in the file.")
