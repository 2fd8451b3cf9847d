// A file that somebody cuts while it is mapped ends every command with one sentence, not with a
// crash. The cut comes right after the mapping (tests/preload/cut_mapped.c).
#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <vector>

#include "host/files/safetensors_writer.hpp"
#include "host/files/torch_zip_reader.hpp"
#include "process.hpp"
#include "run_files.hpp"
#include "small_config.hpp"
#include "temp_folder.hpp"

using namespace vissl::test;
using namespace vissl::host;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kPage = 4096;

// While it lives, children cut the file called `name` to `bytes` at its mapping number `mappings`.
class Cutting {
 public:
  Cutting(const std::string& name, std::uint64_t bytes, int mappings = 1) {
    ::setenv("VISSL_TEST_CUT", name.c_str(), 1);
    ::setenv("VISSL_TEST_CUT_BYTES", std::to_string(bytes).c_str(), 1);
    ::setenv("VISSL_TEST_CUT_MAPPINGS", std::to_string(mappings).c_str(), 1);
    ::setenv("LD_PRELOAD", VISSL_CUT_MAPPED, 1);
  }
  ~Cutting() {
    for (const char* name :
         {"LD_PRELOAD", "VISSL_TEST_CUT", "VISSL_TEST_CUT_BYTES", "VISSL_TEST_CUT_MAPPINGS"})
      ::unsetenv(name);
  }
  Cutting(const Cutting&) = delete;
  Cutting& operator=(const Cutting&) = delete;
};

void check_told(const Result& result, const fs::path& file) {
  INFO(result.err);
  CHECK(result.signal == 0);
  CHECK(result.exit_code == 4);
  const std::string sentence =
      "error: " + file.string() +
      ": a part of it is gone or cannot be read; somebody writes it, which needs to end first, or "
      "the disk fails\n";
  CHECK(result.err.find(sentence) != std::string::npos);
  CHECK(result.err.find("crashed") == std::string::npos);
}

struct Files {
  TempFolder folder;
  fs::path config = folder / "run.toml";

  Files() {
    write_file(config, small_config(folder / "run"));
    const Result result = run_host(run_arguments(config, {"optimizer.num_epochs=1"}));
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
  }

  // The trunk as 16-bit zeros, which a run converts out of the mapping. `kept` = bytes to leave of
  // the file: its header and a little more.
  fs::path halves(std::uint64_t& kept) const {
    NamedTensors tensors;
    const Node tree = read_torch_zip(folder / "run" / "checkpoint.torch");
    const Node& trunk = tree.at("classy_state_dict").at("base_model").at("model").at("trunk");
    for (const auto& [key, tensor] : trunk.as_dict().entries()) {
      const auto count = static_cast<std::size_t>(tensor.as_tensor().numel());
      tensors.emplace_back(
          "trunk." + to_text(key),
          TensorRef::contiguous(DType::float16, tensor.as_tensor().shape,
                                Storage::copy_of(std::vector<std::byte>(2 * count))));
    }
    const fs::path file = folder / "halves.safetensors";
    write_safetensors(file, tensors);
    std::uint64_t header = 0;
    const std::string content = read_file(file);
    std::memcpy(&header, content.data(), sizeof header);
    kept = (sizeof header + header + 2 * kPage) / kPage * kPage;
    REQUIRE(content.size() > kept + kPage);
    return file;
  }

  Result run(const fs::path& weights, const std::vector<std::string>& command) const {
    std::vector<std::string> arguments = command;
    for (const std::string& argument : run_arguments(
             config, {"optimizer.num_epochs=1", "checkpoint.dir=" + (folder / "other").string(),
                      "model.weights_init={ params_file = \"" + weights.string() +
                          "\", state_dict_key_name = \"\" }"}))
      arguments.push_back(argument);
    return run_host(arguments);
  }
};

}  // namespace

TEST_CASE("cut file: inspect and convert end with a sentence that names it") {
  const TempFolder folder;
  const fs::path file = folder / "net.pth";
  const std::string content =
      read_file(fs::path(VISSL_SOURCE_DIR) / "tests/golden/weights_files/zip_training.pth");
  REQUIRE(content.size() > kPage);
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"inspect", file.string()},
        {"convert", file.string(), (folder / "out.safetensors").string(), "--to", "safetensors"}}) {
    write_file(file, content);
    fs::remove(file.string() + ".mapped");
    const Cutting cutting("/net.pth", 100);
    check_told(run_host(command), file);
  }
  CHECK(!fs::exists(folder / "out.safetensors"));
}

TEST_CASE("cut file: a run ends with the sentence for the header and the tensors of its weights") {
  const Files files;
  std::uint64_t kept = 0;
  for (const int ranks : {1, 2}) {
    const fs::path weights = files.halves(kept);
    fs::remove(weights.string() + ".mapped");
    const Cutting cutting("/halves.safetensors", kept, ranks);
    check_told(files.run(weights, {"--nproc", std::to_string(ranks)}), weights);
  }
  const fs::path whole = files.folder / "net.torch";
  fs::copy_file(final_checkpoint(files.folder / "run"), whole);
  const Cutting cutting("/net.torch", kPage);
  check_told(files.run(whole, {}), whole);
  CHECK(!fs::exists(files.folder / "other" / "checkpoint.torch"));
}

TEST_CASE("cut file: a resume ends with the sentence for its checkpoint") {
  const Files files;
  fs::remove(files.folder / "run" / "summary.json");  // as after a crash at the end of training
  const fs::path newest = final_checkpoint(files.folder / "run");
  const Cutting cutting(newest.filename().string(), kPage);
  check_told(run_host(run_arguments(files.config, {"optimizer.num_epochs=1"})), newest);
}
