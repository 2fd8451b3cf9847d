#include "host/files/npy.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "host/files/error.hpp"
#include "temp_folder.hpp"

namespace {

using namespace vissl::host;
using vissl::test::read_file;
using vissl::test::TempFolder;
using vissl::test::write_file;

std::string golden_path(const std::string& name) {
  return std::string(VISSL_SOURCE_DIR) + "/tests/golden/npy/" + name;
}

template <class T>
std::vector<T> elements(const TensorRef& tensor) {
  const auto bytes = tensor.packed();
  std::vector<T> out(bytes.size() / sizeof(T));
  if (!out.empty()) std::memcpy(out.data(), bytes.data(), out.size() * sizeof(T));
  return out;
}

template <class T>
std::vector<T> counted(int count) {
  std::vector<T> out;
  for (int i = 0; i < count; ++i) out.push_back(static_cast<T>(i));
  return out;
}

template <class T>
TensorRef tensor(DType dtype, std::vector<std::int64_t> shape, std::vector<T> values) {
  return TensorRef::contiguous(dtype, std::move(shape),
                               Storage::copy_of(std::as_bytes(std::span(values))));
}

const std::vector<std::int64_t> kShape = {2, 3, 4};

}  // namespace

TEST_CASE("npy: every number type of numpy is read") {
  const auto read = [](const char* name, DType dtype) {
    const TensorRef tensor = read_npy(golden_path(std::string(name) + ".npy"));
    CHECK(tensor.dtype == dtype);
    CHECK(tensor.shape == kShape);
    return tensor;
  };
  CHECK(elements<std::uint8_t>(read("b1", DType::boolean))[1] == 1);
  CHECK(elements<std::uint8_t>(read("u1", DType::uint8)) == counted<std::uint8_t>(24));
  CHECK(elements<std::uint16_t>(read("u2", DType::uint16)) == counted<std::uint16_t>(24));
  CHECK(elements<std::uint32_t>(read("u4", DType::uint32)) == counted<std::uint32_t>(24));
  CHECK(elements<std::uint64_t>(read("u8", DType::uint64)) == counted<std::uint64_t>(24));
  CHECK(elements<std::int8_t>(read("i1", DType::int8)) == counted<std::int8_t>(24));
  CHECK(elements<std::int16_t>(read("i2", DType::int16)) == counted<std::int16_t>(24));
  CHECK(elements<std::int32_t>(read("i4", DType::int32)) == counted<std::int32_t>(24));
  CHECK(elements<std::int64_t>(read("i8", DType::int64)) == counted<std::int64_t>(24));
  CHECK(elements<std::uint16_t>(read("f2", DType::float16))[2] == 0x4000);
  CHECK(elements<float>(read("f4", DType::float32)) == counted<float>(24));
  CHECK(elements<double>(read("f8", DType::float64)) == counted<double>(24));
  CHECK(elements<float>(read("c8", DType::complex64))[46] == 23.0f);
  CHECK(elements<double>(read("c16", DType::complex128))[46] == 23.0);
}

TEST_CASE("npy: Fortran order, big-endian numbers and version 2 give the same values") {
  for (const char* name : {"fortran.npy", "big_endian.npy", "version2.npy"}) {
    CAPTURE(name);
    const TensorRef tensor = read_npy(golden_path(name));
    CHECK(tensor.shape == kShape);
    CHECK(elements<float>(tensor) == counted<float>(24));
  }
  CHECK(read_npy(golden_path("fortran.npy")).strides == std::vector<std::int64_t>{1, 2, 6});
  CHECK(elements<float>(read_npy(golden_path("scalar.npy"))) == std::vector<float>{7});
  CHECK(read_npy(golden_path("empty.npy")).shape == std::vector<std::int64_t>{0, 5});
}

TEST_CASE("npy: the bytes equal those that numpy was seen to read") {
  TempFolder folder;
  write_npy(folder / "ours_counted.npy", tensor(DType::float32, kShape, counted<float>(24)));
  write_npy(folder / "ours_vector.npy", tensor<std::uint8_t>(DType::uint8, {3}, {1, 2, 3}));
  write_npy(folder / "ours_scalar.npy", tensor<std::int64_t>(DType::int64, {}, {9}));
  for (const char* name : {"ours_counted.npy", "ours_vector.npy", "ours_scalar.npy"}) {
    CAPTURE(name);
    const bool is_equal = read_file(folder / name) == read_file(golden_path(name));
    CHECK(is_equal);
  }
}

TEST_CASE("npy: a strided tensor is written in C order") {
  TempFolder folder;
  write_npy(folder / "a.npy", read_npy(golden_path("fortran.npy")));
  const TensorRef back = read_npy(folder / "a.npy");
  CHECK(back.is_contiguous());
  CHECK(elements<float>(back) == counted<float>(24));
}

TEST_CASE("npy: a file cut at any byte is refused") {
  TempFolder folder;
  const std::string whole = read_file(golden_path("f4.npy"));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write_file(folder / "cut.npy", whole.substr(0, size));
    std::string text = "no error";
    try {
      read_npy(folder / "cut.npy");
    } catch (const Error& error) {
      CHECK(error.code() == Exit::bad_data);
      text = error.what();
    }
    CAPTURE(size);
    REQUIRE(text.starts_with((folder / "cut.npy").string() + ": "));
  }
}

TEST_CASE("npy: a changed header is refused or read, never a crash") {
  TempFolder folder;
  const std::string whole = read_file(golden_path("f4.npy"));
  for (std::size_t at = 0; at < whole.size() - 96; ++at) {
    for (const int change : {1, 2, 4, 8, 16, 32, 64, 128}) {
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ change);
      write_file(folder / "changed.npy", changed);
      try {
        const TensorRef tensor = read_npy(folder / "changed.npy");
        CHECK(tensor.invalid() == nullptr);
      } catch (const Error& error) {
        CHECK(error.code() == Exit::bad_data);
      }
    }
  }
}

TEST_CASE("npy: what is not numbers is refused by its type") {
  const auto message = [](const std::string& name) -> std::string {
    try {
      read_npy(golden_path(name));
    } catch (const Error& error) {
      return std::string(error.what()).substr(golden_path("").size());
    }
    return "no error";
  };
  CHECK(message("text.npy") ==
        "text.npy: has elements of the type '<U1', which are no plain numbers; save it as numbers");
  CHECK(message("objects.npy").starts_with("objects.npy: has elements of the type '|O'"));
  TempFolder folder;
  CHECK_THROWS_WITH_AS(
      write_npy(folder / "a.npy",
                TensorRef::contiguous(DType::bfloat16, {1},
                                      Storage::copy_of(std::as_bytes(std::span("ab", 2))))),
      "numpy has no element type bfloat16; convert to float32 before writing a .npy file", Error);
}
