#include "host/files/weights_file.hpp"

#include <doctest/doctest.h>

#include <string>

#include "host/files/error.hpp"
#include "temp_folder.hpp"

namespace {

namespace fs = std::filesystem;
using namespace vissl::host;
using namespace std::string_literals;
using vissl::test::TempFolder;
using vissl::test::write_file;

std::string safetensors(const std::string& header, const std::string& buffer) {
  std::string out(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) out[i] = static_cast<char>(header.size() >> (8 * i));
  return out + header + buffer;
}

std::string refusal(const std::string& content) {
  TempFolder folder;
  write_file(folder.path() / "w", content);
  try {
    read_weights_file(folder.path() / "w");
  } catch (const Error& error) {
    CHECK(error.code() == Exit::bad_data);
    const std::string text = error.what();
    const std::string start = (folder.path() / "w").string() + ": ";
    CHECK(text.starts_with(start));
    return text.substr(start.size());
  }
  return "no error";
}

constexpr const char* kTwoFloats = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";

}  // namespace

TEST_CASE("weights: what is no file of weights is named for what it is") {
  CHECK(refusal("") == "is empty; use another copy");
  CHECK(refusal("abc") == "is too short for a file of weights; use another copy");
  CHECK(refusal(std::string(5000, '\0')) ==
        "begins with nothing but zeros: an interrupted download; use another copy");
  CHECK(refusal("\x1f\x8b\x08 and so on, a gzip file").starts_with("the gzip stream is "));
  CHECK(refusal("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n") ==
        "is a git-LFS pointer, not the file itself; fetch it with 'git lfs pull'");
  CHECK(refusal("\n<!DOCTYPE html><html></html>").starts_with("is a web page, not weights"));
  CHECK(refusal("{\"error\": \"Repository not found\"}") ==
        "is the error message of a server, not weights: {\"error\": \"Repository not found\"}; "
        "download it again");
  CHECK(refusal("\x89HDF\r\n\x1a\n and more than sixteen bytes").starts_with("is an HDF5 file"));
  CHECK(refusal("PYTORCH1 and more than sixteen bytes").starts_with("is a TorchScript container"));
  CHECK(refusal("(begins like an old pickle)").starts_with("is of no format"));
  CHECK(refusal("nothing that anybody ever saved").starts_with("is of no format"));
}

TEST_CASE("weights: a download that cannot be read names its address and the file to delete") {
  TempFolder folder;
  const std::string file = (folder.path() / "net.pth").string();
  const auto refusal_of = [](const std::string& path) {
    try {
      read_weights_file(path);
    } catch (const Error& error) {
      CHECK(error.code() == Exit::bad_data);
      return std::string(error.what());
    }
    return std::string("no error");
  };
  const std::string remedy = ": delete " + file + " to download it again";
  write_file(file, "");
  CHECK(refusal_of(file) == file + ": is empty; use another copy");
  write_file(file + ".check", "url https://a.example/net.pth?token=SECRET\nsha256 00\n");
  CHECK(refusal_of(file) == file +
                                ": is empty; use another copy; it came from "
                                "https://a.example/net.pth?token=***" +
                                remedy);
  write_file(file + ".check", "url https://a.example/\x1b[31m");
  CHECK(refusal_of(file).find('\x1b') == std::string::npos);
  CHECK(refusal_of(file).ends_with(remedy));
  for (const char* other : {"", "url ", "url \nsha256 00\n", "sha256 00\nurl https://a/b\n"}) {
    write_file(file + ".check", other);
    CHECK(refusal_of(file) == file + ": is empty; use another copy");
  }
  // A part of several files is the one to delete, not the index that names it.
  write_file(file, R"({"weight_map": {"a": "part.safetensors"}})");
  const std::string part = (folder.path() / "part.safetensors").string();
  write_file(part, std::string(64, '\0'));
  write_file(file + ".check", "url https://a.example/net.pth\n");
  write_file(part + ".check", "url https://a.example/part.safetensors\n");
  CHECK(refusal_of(file).starts_with(part + ": "));
  CHECK(refusal_of(file).ends_with("; it came from https://a.example/part.safetensors: delete " +
                                   part + " to download it again"));
}

TEST_CASE("weights: safetensors gives tensors and metadata in the header's order") {
  TempFolder folder;
  write_file(folder.path() / "w.bin",
             safetensors(R"({"__metadata__":{"format":"pt"},"b":{"dtype":"I64","shape":[],)"
                         R"("data_offsets":[8,16]},"a":{"dtype":"F32","shape":[2],)"
                         R"("data_offsets":[0,8]},"none":{"dtype":"F16","shape":[0,3],)"
                         R"("data_offsets":[16,16]}}  )",
                         std::string("\0\0\x80\x3f\0\0\0\x40\x07\0\0\0\0\0\0\0", 16)));
  const WeightsFile file = read_weights_file(folder.path() / "w.bin");
  CHECK(file.format == "safetensors");
  CHECK(file.metadata == std::vector<std::pair<std::string, std::string>>{{"format", "pt"}});
  CHECK(file.warnings.empty());
  REQUIRE(file.tree.as_dict().size() == 3);
  CHECK(to_text(file.tree.as_dict().entries()[0].key) == "b");
  CHECK(file.tree.at("b").as_tensor().dtype == DType::int64);
  CHECK(file.tree.at("b").as_tensor().packed().front() == std::byte{7});
  CHECK(file.tree.at("a").as_tensor().shape == std::vector<std::int64_t>{2});
  CHECK(file.tree.at("none").as_tensor().numel() == 0);
}

TEST_CASE("weights: a safetensors header that lies is refused") {
  const std::string eight(8, '\0');
  CHECK(refusal(safetensors(kTwoFloats, eight)) == "no error");
  const auto refused = [&](const std::string& header, const std::string& buffer,
                           const std::string& part) {
    const std::string text = refusal(safetensors(header, buffer));
    CHECK_MESSAGE(text.find(part) != std::string::npos, header << " gave: " << text);
  };
  refused(kTwoFloats, eight + "x", "has bytes after its last tensor (byte ");
  refused(kTwoFloats, "1234", "tensor 'a' ends at byte 8 of a buffer of 4");
  refused(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[4,8]}})", eight,
          "has bytes that belong to no tensor before 'a'");
  refused(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
          R"("b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
          eight, "has overlapping tensors, one of them 'b'");
  refused(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", eight,
          "tensor 'a' has 8 bytes, which do not fit its shape");
  refused(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}})", eight,
          "do not fit its shape");
  refused(R"({"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})", eight,
          "has a number that is no integer in its header near 'a'");
  refused(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", eight,
          "has a negative number in its header");
  refused(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}})", eight,
          "has the unknown or repeated entry 'x'");
  refused(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
          R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
          eight, "has two tensors called 'a'");
  refused(R"({"a":{"dtype":"F32","shape":[2]}})", eight,
          "tensor 'a' has no dtype, shape and data_offsets");
  refused(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})", eight,
          "has a header that is not valid JSON (byte 61); the file is damaged or incomplete");
  const auto unexpected = [&](const std::string& header, const std::string& what) {
    refused(header, eight, "has " + what + ", where the format has none (byte 8)");
  };
  unexpected(R"({"a":{"dtype":"F32","shape":[[2]],"data_offsets":[0,8]}})",
             "a list in its header near 'a'");
  unexpected(R"({"a":{"dtype":{},"shape":[2],"data_offsets":[0,8]}})",
             "an object in its header near 'a'");
  unexpected(R"({"a":{"dtype":"F32","shape":"2","data_offsets":[0,8]}})",
             "text in its header near 'a'");
  unexpected(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8]}})",
             "a list of another length in its header near 'a'");
  unexpected(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4,8]}})",
             "too long a list in its header near 'a'");
  unexpected(R"({"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}})",
             "a number in its header near 'a'");
  unexpected(R"({"a":{"dtype":"F32","shape":null,"data_offsets":[0,8]}})",
             "null in its header near 'a'");
  unexpected(R"({"__metadata__":{"format":true}})", "a truth value in its header");
  refused(R"({"__metadata__":{"a":"b","a":"c"}})", eight, "has two entries 'a' in its metadata");
  refused("{\"" + std::string(4097, 'x') + "\":{}}", eight,
          "has a tensor with too long a name (byte 8)");
  std::string huge = safetensors(kTwoFloats, eight);
  huge[3] = '\x7f';
  CHECK(refusal(huge).starts_with("is of no format"));
  CHECK(refusal(safetensors(kTwoFloats, eight).substr(0, 40)) ==
        "ends inside its header (byte 40); the file is damaged or incomplete, use another copy");
}

TEST_CASE("weights: an element type that torch lacks costs one tensor, not the file") {
  TempFolder folder;
  write_file(folder.path() / "w",
             safetensors(R"({"a":{"dtype":"F6_E2M3","shape":[4],"data_offsets":[0,3]},)"
                         R"("b":{"dtype":"U8","shape":[1],"data_offsets":[3,4]}})",
                         "1234"));
  const WeightsFile file = read_weights_file(folder.path() / "w");
  CHECK(file.tree.at("b").as_tensor().packed().front() == std::byte{'4'});
  REQUIRE(file.warnings.size() == 1);
  CHECK(file.warnings[0] ==
        "tensor 'a' has the element type F6_E2M3, which torch lacks, and cannot be used");
}

TEST_CASE("weights: a folder's last_checkpoint names the file that is read") {
  TempFolder folder;
  const fs::path newest = folder / "last_checkpoint";
  write_file(newest, "model_0000999.safetensors\n");
  const auto told = [&] {
    try {
      read_weights_file(folder.path());
    } catch (const Error& error) {
      CHECK(error.code() == Exit::bad_data);
      return std::string(error.what());
    }
    return std::string();
  };
  const std::string rest = ", which is no file of this folder; name the file of weights itself";
  CHECK(told() == newest.string() + ": names 'model_0000999.safetensors'" + rest);
  write_file(folder / "model_0000999.safetensors", safetensors(kTwoFloats, std::string(8, '\0')));
  CHECK(read_weights_file(folder.path()).tree.as_dict().size() == 1);
  write_file(newest, "../model.pth");
  CHECK(told() == newest.string() + ": names '../model.pth'" + rest);
  write_file(newest, "");
  CHECK(told() == newest.string() + ": names ''" + rest);
}

TEST_CASE("weights: a folder stands for the checkpoint in it") {
  TempFolder folder;
  CHECK_THROWS_WITH_AS(
      read_weights_file(folder.path()),
      (folder.path().string() + ": is a folder without any of checkpoint.torch, "
                                "model.safetensors.index.json, model.safetensors, "
                                "pytorch_model.bin.index.json, pytorch_model.bin, last_checkpoint; "
                                "name the file of weights itself")
          .c_str(),
      Error);
  fs::create_directory(folder / "parts");
  write_file(folder / "parts/__0_0.distcp", "x");
  const std::string parts = (folder / "parts").string();
  CHECK_THROWS_WITH_AS(
      read_weights_file(parts),
      (parts +
       ": is a checkpoint of torch.distributed.checkpoint, which is not supported; "
       "convert it with 'python -m torch.distributed.checkpoint.format_utils "
       "dcp_to_torch " +
       parts + " FILE'")
          .c_str(),
      Error);
  write_file(folder.path() / "model.safetensors", safetensors(kTwoFloats, std::string(8, '\0')));
  CHECK(read_weights_file(folder.path()).tree.as_dict().size() == 1);
  CHECK(read_weights_file(folder.path()).warnings.empty());
  fs::rename(folder / "model.safetensors", folder / "model-00001-of-00003.safetensors");
  const auto shard = read_weights_file(folder / "model-00001-of-00003.safetensors");
  REQUIRE(shard.warnings.size() == 1);
  CHECK(shard.warnings[0].starts_with("is one of several files of a model, by its name"));
}
