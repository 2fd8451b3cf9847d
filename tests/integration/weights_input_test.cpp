// The file that inspect and convert are about: a path or a locator with its pin, and whole.
#include <doctest/doctest.h>

#include <filesystem>
#include <span>

#include "host/files/atomic_file.hpp"
#include "host/files/sha256.hpp"
#include "host/files/torch_zip_writer.hpp"
#include "process.hpp"
#include "temp_folder.hpp"

using namespace vissl::test;
namespace fs = std::filesystem;

namespace {

const fs::path kGolden = fs::path(VISSL_SOURCE_DIR) / "tests/golden/weights_files";

Result host(std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"--plugins", VISSL_PLUGIN_DIR});
  return run_host(arguments);
}

// How often `word` is in `text`.
std::size_t count(const std::string& text, const std::string& word) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos; at += word.size())
    ++found;
  return found;
}

}  // namespace

TEST_CASE("weights input: a pin is compared by inspect and convert, whatever leads to the file") {
  const TempFolder folder;
  const std::string file = kGolden / "zip_training.pth", out = folder / "out.safetensors";
  const std::string content = read_file(file);
  const std::string good = "#sha256=" + vissl::host::sha256_hex(std::as_bytes(std::span(content)));
  const std::string bad = "#sha256=" + std::string(64, '0');
  for (const std::string& locator : {file, "file://" + file}) {
    CAPTURE(locator);
    const Result inspected = host({"inspect", locator + good});
    CHECK(inspected.err == "");
    CHECK(inspected.out.starts_with(file + ": torch_zip, "));
    CHECK(host({"convert", locator + good, out, "--to", "safetensors", "--force"}).exit_code == 0);
    fs::remove(out);
    for (const Result& refused : {host({"inspect", locator + bad}),
                                  host({"convert", locator + bad, out, "--to", "safetensors"})}) {
      CHECK(refused.exit_code == 4);
      CHECK(refused.err.find(" as pinned; get the right file, or correct the pin") !=
            std::string::npos);
      CHECK(count(refused.err, file) == 1);
    }
    CHECK_FALSE(fs::exists(out));
  }
  const Result malformed = host({"inspect", file + "#sha256=12"});
  CHECK(malformed.exit_code == 2);
  CHECK(malformed.err.find("a sha256 has 64 hexadecimal digits, not '12'") != std::string::npos);
}

TEST_CASE("weights input: a locator's branch is all that is shown and converted") {
  const TempFolder folder;
  const std::string file = kGolden / "zip_training.pth";
  const Result whole = host({"inspect", "--json", file});
  const std::size_t at = whole.out.find("{\"name\": \"") + 10;
  const std::string name = whole.out.substr(at, whole.out.find('"', at) - at);
  CAPTURE(whole.out);
  REQUIRE(name.rfind('.') != std::string::npos);
  const std::string branch = name.substr(0, name.rfind('.') + 1);
  const Result part = host({"inspect", "--json", file + "#keep=" + branch});
  CHECK(part.exit_code == 0);
  CHECK(part.out.find("{\"name\": \"" + name.substr(branch.size()) + "\"") != std::string::npos);
  CHECK(part.out.find(branch) == std::string::npos);
  const Result none =
      host({"convert", file + "#keep=nowhere.", (folder / "x.pth").string(), "--to", "torch"});
  CHECK(none.exit_code == 4);
  CHECK(none.err.find("no tensor's name begins with 'nowhere.'") != std::string::npos);
}

TEST_CASE("weights input: two tensors of one name below a locator's branch are refused") {
  using namespace vissl::host;
  const TempFolder folder;
  const std::string file = folder / "twice.pth";
  const TensorRef tensor = TensorRef::contiguous(DType::float32, {0}, Storage::allocate(0));
  Node tree = Node::dict();
  tree["a.b"] = tensor;
  tree["a"]["b"] = tensor;
  AtomicFile out(file);
  write_torch_zip(out, tree);
  out.commit();
  const Result refused = ::host({"inspect", file + "#keep=a."});
  CHECK(refused.exit_code == 4);
  CHECK(refused.err.starts_with("error: " + file +
                                ": two tensors have the name 'a.b', at ['a.b'] and ['a']['b']"));
}

TEST_CASE("weights input: a damaged record is refused where data is read, and nothing is written") {
  const TempFolder folder;
  const std::string file = folder / "damaged.pth";
  std::string content = read_file(kGolden / "zip_training.pth");
  // 432 bytes of float32 follow the name and its padding.
  const std::size_t data = (content.find("zip_training/data/0") + 19 + 63) / 64 * 64 + 128;
  for (std::size_t at = data; at < data + 64; ++at)
    content[at] = static_cast<char>(content[at] ^ 0x55);
  write_file(file, content);
  const std::string text = "error: " + file + ": entry 'zip_training/data/0' has a wrong checksum";
  for (const std::string to : {"torch", "safetensors", "vissl", "sliced"}) {
    CAPTURE(to);
    const std::string out = folder / (to == "safetensors" ? "out.safetensors" : "out.pth");
    const Result converted = host({"convert", file, out, "--to", to});
    CHECK(converted.exit_code == 4);
    CHECK(converted.err.starts_with(text));
    CHECK_FALSE(fs::exists(out));
  }
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"inspect", "--sha256", file},
        {"inspect", "--sha256", "--json", file}}) {
    const Result inspected = host(command);
    CHECK(inspected.exit_code == 4);
    CHECK(inspected.err.starts_with(text));
    CHECK(inspected.out == "");
  }
  CHECK(host({"inspect", file}).exit_code == 0);  // reads no data
}
