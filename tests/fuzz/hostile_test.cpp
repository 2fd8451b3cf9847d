// What comes of each hostile file of tests/fuzz/corpus (scripts/oracle/hostile_weights.py), and
// that no fuzz target fails on any file of the corpus or of the golden files.
#include <doctest/doctest.h>
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "fuzz/targets.hpp"
#include "host/files/error.hpp"
#include "host/files/tensor_list.hpp"
#include "host/files/weights_file.hpp"
#include "temp_folder.hpp"

namespace {

namespace fs = std::filesystem;
using namespace vissl::host;
using vissl::test::read_file;
using vissl::test::TempFolder;
using vissl::test::write_file;

const fs::path kCorpus = fs::path(VISSL_SOURCE_DIR) / "tests/fuzz/corpus";
const fs::path kGolden = fs::path(VISSL_SOURCE_DIR) / "tests/golden/weights_files";

struct Hostile {
  const char* file;
  const char* text;  // of the error, after the path
};

// Refused while reading.
constexpr Hostile kRefused[] = {
    {"zip/duplicate.pth", "has two entries called 'a/data.pkl'"},
    {"zip/overlap.pth", "entry 'a/data.pkl' overlaps the one after it"},
    {"zip/renamed.pth", "entry 'a/data.pkl' has a header that disagrees with the directory"},
    {"zip/hidden_prefix.pth", "is of no format that holds weights"},
    {"zip/huge_sizes.pth", "entry 'a/data.pkl' reaches beyond the zip file's data"},
    {"zip/traversal.pth", "has an entry with the bad name 'a/../../data.pkl'"},
    {"zip/encrypted.pth", "entry 'a/data.pkl' is encrypted"},
    {"zip/many_entries.pth", "the zip directory does not fit into the file"},
    {"zip/claims_more.pth", "storage '0' has 16 bytes where its tensors need 4000000000000000"},
    {"zip/beyond.pth", "has a tensor that reaches beyond its storage"},
    {"zip/negative_stride.pth", "has a tensor with a negative stride"},
    {"zip/shape_overflow.pth", "has a tensor whose size overflows"},
    {"zip/nested.pth", "is nested too deep"},
    {"zip/old_program.pt", "is a TorchScript program of torch 1.0 to 1.3, which is not read; load"},
    {"zip/array.npz", "has a shape that overflows"},
    {"pickle/laughs.pkl", "holds too many values"},
    {"pickle/huge_text.pkl", "the pickle ends inside a value"},
    {"pickle/extension.pkl", "the pickle uses Python's extension registry"},
    {"pickle/storage.pkl", "has a pickle that refers to the storage '0', which is not in the file"},
    {"pickle/nested_storages.pkl", "has a pickled storage inside a pickled storage"},
    {"pickle/array_shape.pkl", "has a numpy array with a bad shape"},
    {"legacy/truncated.pth", "ends inside the storage '0': it has "},
    {"legacy/no_storages.pth", "ends before the storage '0'"},
    {"legacy/huge_count.pth", "ends inside the storage '0'"},
    {"legacy/claims_more.pth", "storage '0' has 16 bytes where its tensors need 32"},
    {"legacy/twice.pth", "has two storages called '0'"},
    {"legacy/view_beyond.pth", "has a storage view beyond its storage"},
    {"legacy/no_list.pth", "has no list of storages"},
    {"legacy/protocol.pth", "has the unknown torch protocol 1002"},
    {"tar/beyond.tar", "has a tensor that reaches beyond its storage"},
    {"tar/huge_count.tar", "has a storage with a bad name"},
    {"tar/huge_storage.tar", "has a storage that is longer than its tar member"},
    {"tar/other.tar",
     "is a tar archive with the member '../../etc/passwd', not torch's tar format"},
    {"tar/link.tar", "has the tar member 'pickle' that is no plain file"},
    {"tar/wide_size.tar", "has the tar member 'sys_info' with a bad size"},
    {"tar/truncated.tar", "ends inside the tar member 'tensors'"},
    {"safetensors/huge_header.safetensors", "is of no format that holds weights"},
    {"safetensors/deep.safetensors", "has a list in its header near 'a'"},
    {"safetensors/hole.safetensors", "has bytes that belong to no tensor before 'a'"},
    {"safetensors/overflow.safetensors", "which do not fit its shape"},
    {"npy/overflow.npy", "has a shape that overflows"},
    {"npy/truncated.npy", "ends before its 2 elements"},
    {"npy/long_header.npy", "ends inside its header"},
    {"gzip/cut.pth.gz", "the gzip stream is cut off"},
    {"gzip/checksum.pth.gz", "the gzip stream is broken"},
    {"gzip/trailer.pth.gz", "the gzip stream is broken"},
    {"gzip/twice.pth.gz", "is compressed more than once"},
    {"gzip/bomb.pth.gz", "would inflate more than 200 times"},
};

// Refused when the tensor is touched.
constexpr Hostile kRefusedAtTouch[] = {
    {"zip/bomb.pth", "entry 'a/data/0' would inflate more than 200 times"},
    {"zip/lying_size.pth", "entry 'a/data/0' cannot be inflated to its size"},
    {"zip/expanded.pth", "a tensor repeats the 16 bytes of its storage to more than 4294967296"},
    {"zip/quantized_expanded.pth", "a tensor repeats the 16 bytes of its storage"},
    {"zip/sparse_index.pth", "has a sparse tensor with an index outside its shape"},
    {"zip/sparse_offsets.pth", "has a sparse tensor with offsets that do not fit its entries"},
};

template <class Body>
std::string error_of(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    CHECK(error.code() == Exit::bad_data);
    return error.what();
  }
  return "no error";
}

void touch_all(const WeightsFile& file) {
  for_each_tensor(file.tree,
                  [](const std::string&, const TensorRef& tensor) { tensor_sha256(tensor); });
}

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

long peak_memory_kb() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

}  // namespace

TEST_CASE("hostile weights: each file is refused in a sentence, in little memory") {
  const long before_kb = peak_memory_kb();
  for (const Hostile& hostile : kRefused) {
    const std::string path = (kCorpus / hostile.file).string();
    const std::string text = error_of([&] { read_weights_file(path); });
    CAPTURE(text);
    CHECK(text.starts_with(path + ": "));
    CHECK(text.find(hostile.text) != std::string::npos);
  }
  WeightsReadOptions options;
  options.dequantize = true;
  for (const Hostile& hostile : kRefusedAtTouch) {
    CAPTURE(hostile.file);
    WeightsFile file;
    REQUIRE_NOTHROW(file = read_weights_file(kCorpus / hostile.file, options));
    const std::string text = error_of([&] { touch_all(file); });
    CAPTURE(text);
    CHECK(text.find(hostile.text) != std::string::npos);
  }
#ifndef __SANITIZE_ADDRESS__
  CHECK(peak_memory_kb() - before_kb < 128 * 1024);
#endif
  CHECK(before_kb > 0);
}

TEST_CASE("hostile weights: every corpus file that no case refuses reads without an error") {
  int read = 0;
  for (const vissl::fuzz::Target& target : vissl::fuzz::targets()) {
    for (const fs::path& path : files_in(kCorpus / target.name)) {
      const std::string name = std::string(target.name) + "/" + path.filename().string();
      const auto is_named = [&](const Hostile& hostile) { return name == hostile.file; };
      if (std::ranges::any_of(kRefused, is_named) ||
          std::ranges::any_of(kRefusedAtTouch, is_named) || name.find('.') == std::string::npos) {
        continue;
      }
      CAPTURE(name);
      CHECK(error_of([&] { touch_all(read_weights_file(path)); }) == "no error");
      ++read;
    }
  }
  CHECK(read >= 15);
}

TEST_CASE("hostile weights: code in a pickle is named, not run, and refused when asked") {
  const WeightsFile file = read_weights_file(kCorpus / "zip/code.pth");
  CHECK(file.tree.at("w").as_tensor().numel() == 4);
  CHECK(file.tree.at("x").as_opaque().class_name == "os.system");
  CHECK(file.tree.at("y").as_opaque().class_name == "builtins.eval");
  REQUIRE(file.warnings.size() == 2);
  CHECK(file.warnings[1] ==
        "contains a reference to 'os.system', which a Python loader would run; nothing of it was "
        "run here");
  CHECK(!fs::exists("owned"));
  WeightsReadOptions options;
  options.refuse_suspicious = true;
  const std::string text = error_of([&] { read_weights_file(kCorpus / "zip/code.pth", options); });
  CHECK(text.find("contains a reference to 'builtins.eval', which a Python loader would run; do "
                  "not use this file") != std::string::npos);
}

TEST_CASE("hostile weights: a sparse tensor that would be huge stays as it is saved") {
  const WeightsFile file = read_weights_file(kCorpus / "zip/sparse_huge.pth");
  CHECK(file.tree.at("w").as_opaque().class_name == "torch.sparse_coo");
  REQUIRE(file.warnings.size() == 1);
  CHECK(file.warnings[0].find("too large") != std::string::npos);
}

TEST_CASE("hostile weights: a wrong checksum is a warning, and an error when all is verified") {
  const fs::path path = kCorpus / "zip/wrong_crc.pth";
  const WeightsFile file = read_weights_file(path);
  REQUIRE(file.warnings.size() == 1);
  CHECK(file.warnings[0].find("'a/data.pkl' has a wrong checksum") != std::string::npos);
  WeightsReadOptions options;
  options.verify = true;
  CHECK(error_of([&] { read_weights_file(path, options); }).find("has a wrong checksum") !=
        std::string::npos);
}

TEST_CASE("hostile weights: an index names only files beside it") {
  TempFolder folder;
  const auto refused = [&](const std::string& json, const std::string& part) {
    write_file(folder / "model.safetensors.index.json", json);
    const std::string text = error_of([&] { read_weights_file(folder.path()); });
    CAPTURE(text);
    CHECK(text.find(part) != std::string::npos);
  };
  refused(R"({"weight_map": {"a": "../secret.safetensors"}})",
          "for the tensor 'a', which is no name of a file beside it; refused");
  refused(R"({"weight_map": {"a": "/etc/passwd"}})", "which is no name of a file beside it");
  refused(R"({"weight_map": {"a": 5}})", "which is no name of a file beside it");
  refused(R"({"weight_map": {"a": "gone.safetensors"}})", "gone.safetensors: cannot be read");
  refused(R"({"weight_map": {"a": "model.safetensors.index.json"}})",
          ": is an index itself, not a file of weights, which the index ");
  refused(R"({"weights": []})", "is JSON without a \"weight_map\"");
  refused(R"({"weight_map": {)", "begins like JSON but is none");
  refused("{\"a\":" + std::string(5000, '['), "nested too deep");
  fs::copy_file(kCorpus / "safetensors/good.safetensors", folder / "one.safetensors");
  fs::copy_file(kCorpus / "safetensors/good.safetensors", folder / "two.safetensors");
  refused(R"({"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}})",
          "the tensor 'a' stands in two files, the second is 'two.safetensors'");
  refused(R"({"weight_map": {"a": "one.safetensors", "b": "one.safetensors"}})",
          "the tensor 'b' is not in 'one.safetensors', where the index says it is");
}

TEST_CASE("fuzz: no target fails on its corpus, on the golden files or on their torn halves") {
  for (const vissl::fuzz::Target& target : vissl::fuzz::targets()) {
    std::vector<fs::path> files = files_in(kCorpus / target.name);
    const std::vector<fs::path> golden = files_in(kGolden);
    files.insert(files.end(), golden.begin(), golden.end());
    for (const fs::path& path : files) {
      CAPTURE(target.name);
      CAPTURE(path);
      const std::string whole = read_file(path);
      for (const std::size_t size :
           {whole.size(), whole.size() / 2, whole.size() - whole.size() / 8}) {
        // Exactly as large as the input, so that a sanitizer sees any read beyond its end.
        std::vector<std::byte> bytes(size);
        std::ranges::copy(std::as_bytes(std::span(whole)).first(size), bytes.begin());
        CHECK_NOTHROW(target.run(bytes));
      }
    }
  }
}
