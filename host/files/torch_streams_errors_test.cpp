// Every sentence with which torch's two oldest formats, the stream and the tar, are refused.
#include <doctest/doctest.h>

#include <string>

#include "host/files/error.hpp"
#include "host/files/torch_legacy_reader.hpp"
#include "host/files/torch_tar_reader.hpp"
#include "pickle_bytes.hpp"

namespace {

using namespace vissl::host;
using namespace vissl::test;

template <class Read>
std::string refusal(Read&& read, const std::string& file) {
  // Exactly as large as the file, so that a sanitizer sees any read beyond its end.
  const std::vector<char> bytes(file.begin(), file.end());
  try {
    WeightsFile out;
    read({std::as_bytes(std::span(bytes)), nullptr, "net.pth"}, {}, out);
  } catch (const Error& error) {
    CHECK(error.code() == Exit::bad_data);
    return error.what();
  }
  return "no error";
}

std::string damage(const std::string& what) {
  return "net.pth: " + what + "; the file is damaged or incomplete, use another copy";
}

std::string tensor_of(const std::string& key) {
  return pickled_call("torch._utils._rebuild_tensor",
                      {pickled_storage(key, "Float", 1), pickled_integer(0), pickled_sizes({1}),
                       pickled_sizes({1})});
}

// The magic number, the protocol, facts of the machine, the objects, the keys; the storages.
std::string stream(const std::string& objects, const std::string& keys, const std::string& data,
                   std::int64_t protocol = 1001) {
  return pickled("N") + pickled(pickled_integer(protocol)) + pickled("}") + pickled(objects) +
         pickled(keys) + data;
}

const std::string kOne = "](" + pickled_text("0") + "e";
const std::string kData = little_endian(1, 8) + "abcd";

// One member: a header with its checksum, and the content in blocks of 512 bytes.
std::string member(const std::string& name, const std::string& content,
                   const std::string& size = "", char type = '0') {
  std::string header(512, '\0');
  header.replace(0, name.size(), name);
  std::string digits(11, '0');
  for (std::size_t i = 11, left = content.size(); left > 0; left /= 8) {
    digits[--i] = static_cast<char>('0' + left % 8);
  }
  header.replace(124, 11, size.empty() ? digits : size);
  header[156] = type;
  header.replace(148, 8, 8, ' ');
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  for (std::size_t i = 6; i-- > 0; sum /= 8) header[148 + i] = static_cast<char>('0' + sum % 8);
  header[154] = '\0';
  return header + content + std::string((512 - content.size() % 512) % 512, '\0');
}

std::string key_of(std::int64_t key, const std::string& second, const std::string& type) {
  return pickled(pickled_tuple({pickled_integer(key), second, pickled_text(type)}));
}
std::string count(std::int64_t number) {
  return pickled(pickled_integer(number));
}

const std::string kStorages = count(1) + key_of(1, pickled_text("cpu"), "torch.FloatStorage") +
                              little_endian(2, 8) + "abcdefgh";
const std::string kTensorName = count(1) + key_of(5, pickled_integer(1), "torch.FloatTensor");

// Rank, padding, sizes, strides and offset of a vector.
std::string vector(std::int64_t size, std::int64_t stride, std::int64_t offset) {
  return little_endian(1, 4) + little_endian(0, 4) +
         little_endian(static_cast<std::uint64_t>(size), 8) +
         little_endian(static_cast<std::uint64_t>(stride), 8) +
         little_endian(static_cast<std::uint64_t>(offset), 8);
}

std::string tar(const std::string& storages, const std::string& tensors,
                const std::string& object) {
  return member("sys_info", pickled("}")) + member("storages", storages) +
         member("tensors", tensors) + member("pickle", pickled(object)) + std::string(1024, '\0');
}

std::string tar_refusal(const std::string& file) {
  return refusal(read_torch_tar, file);
}

}  // namespace

TEST_CASE("torch stream errors: storages and their list must fit the objects") {
  const auto refused = [](const std::string& file) { return refusal(read_torch_legacy, file); };
  const auto at = [](std::size_t where) { return " (byte " + std::to_string(where) + ")"; };
  const std::string good = stream(tensor_of("0"), kOne, kData);
  const std::size_t data = good.size() - kData.size();
  REQUIRE(refused(good) == "no error");
  CHECK(refused(stream(tensor_of("0"), kOne, kData, 1002)) ==
        "net.pth: has the unknown torch protocol 1002; save it again with a newer torch");
  const std::string no_list = stream(tensor_of("0"), "}", "");
  CHECK(refused(no_list) == damage("has no list of storages" + at(no_list.size())));
  const std::string unused = stream("}", kOne, "");
  CHECK(refused(unused) == damage("has the storage '0', which no tensor uses" + at(unused.size())));
  CHECK(refused(stream(tensor_of("0"), "]", "")) == damage("has no data for the storage '0'"));
  CHECK(refused(good.substr(0, data + 3)) == damage("ends before the storage '0'" + at(data + 3)));
  CHECK(refused(good.substr(0, good.size() - 1)) ==
        damage("ends inside the storage '0': it has " + std::to_string(good.size() - 1) +
               " bytes and needs 1 elements of 4 bytes from byte " + std::to_string(data + 8) +
               at(good.size() - 1)));
  CHECK(refused(stream(tensor_of("0"), "](" + pickled_text("0") + pickled_text("0") + "e",
                       kData + kData))
            .find("net.pth: has two storages called '0'") == 0);
  CHECK(refused(stream(tensor_of("0"), kOne, little_endian(0, 8))) ==
        damage("storage '0' has 0 bytes where its tensors need 4" + at(data + 8)));
  CHECK(refusal([](const FileBytes& file, const WeightsReadOptions&,
                   WeightsFile&) { read_torch_legacy_storage(file, {}); },
                stream("N", "]", "")) == damage("has a pickled storage that is none"));
}

TEST_CASE("torch tar errors: the archive's members are checked one by one") {
  const std::string good = tar(kStorages, kTensorName + vector(2, 1, 0), pickled_integer(5) + "Q");
  REQUIRE(tar_refusal(good) == "no error");
  std::string torn = good;
  torn[512 + 512 + 3] = 'x';
  CHECK(tar_refusal(torn) == damage("has a tar header with a wrong checksum (byte 1024)"));
  CHECK(tar_refusal(member("README", "x")) ==
        "net.pth: is a tar archive with the member 'README', not torch's tar format; unpack it and "
        "name the file of weights inside");
  CHECK(tar_refusal(member("pickle", "", "0000000000x")) ==
        damage("has the tar member 'pickle' with a bad size (byte 124)"));
  CHECK(tar_refusal(member("pickle", "", "", '2')) ==
        damage("has the tar member 'pickle' that is no plain file (byte 156)"));
  CHECK(tar_refusal(member("pickle", "", "00000000777")) ==
        damage("ends inside the tar member 'pickle' (byte 512)"));
  CHECK(tar_refusal(member("pickle", "x") + member("./pickle", "x")) ==
        damage("has two tar members called 'pickle' (byte 1536)"));
  CHECK(tar_refusal(member("sys_info", pickled("}"))) == damage("has no tar member 'storages'"));
  CHECK(tar_refusal(tar(kStorages, kTensorName + vector(2, 1, 0), tensor_of("7"))) ==
        damage("has no data for the storage '7'"));
}

TEST_CASE("torch tar errors: storages and tensors are checked in their members") {
  const auto storages = [](const std::string& content, const std::string& what) {
    CHECK(tar_refusal(tar(content, count(0), "N"))
              .starts_with("net.pth: 'storages': " + what + " (byte "));
  };
  const auto tensors = [](const std::string& content, const std::string& what) {
    const std::string text = tar_refusal(tar(kStorages, content, "N"));
    CHECK(text == damage("'tensors': " + what + " (byte " + std::to_string(content.size()) + ")"));
  };
  const std::string view = "](" + pickled_tuple({"K\x02", pickled_integer(1), "K\x01", "K\x02"});
  storages("", "the pickle ends inside a value");
  storages(count(1) + pickled("N"), "has a storage with a bad name");
  storages(count(1) + key_of(1, "N", "torch.StringStorage"),
           "has the unknown element type 'torch.StringStorage'");
  storages(count(1) + key_of(1, "N", "torch.FloatStorage") + "abc", "ends inside a number");
  storages(count(1) + key_of(1, "N", "torch.FloatStorage") + little_endian(9, 8),
           "has a storage that is longer than its tar member");
  storages(kStorages + pickled("](Ne"), "has a view of no storage");
  storages(kStorages + pickled(view + "e"), "has a storage view beyond its storage");

  tensors(count(1) + pickled("N"), "has a tensor without a storage");
  tensors(count(1) + key_of(5, "N", "torch.StringTensor"), "has a tensor without a storage");
  tensors(count(1) + key_of(5, pickled_integer(1), "torch.StringTensor"),
          "has the unknown element type 'torch.StringTensor'");
  tensors(count(1) + key_of(5, pickled_integer(1), "torch.DoubleTensor"),
          "has a tensor of another element type than its storage");
  tensors(kTensorName + little_endian(65, 4) + little_endian(0, 4),
          "has a tensor of 65 dimensions");
  tensors(kTensorName + vector(2, 1, -1), "has a tensor with a negative offset");
  tensors(kTensorName + vector(2, -1, 0), "has a tensor with a negative stride");
  tensors(kTensorName + vector(3, 1, 0), "has a tensor that reaches beyond its storage");
}
