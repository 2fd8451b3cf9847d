// Names inside foreign files reach no terminal as they are, whichever command reads the file.
#include <doctest/doctest.h>

#include <filesystem>

#include "process.hpp"
#include "run_files.hpp"
#include "small_config.hpp"
#include "temp_folder.hpp"

using namespace vissl::test;
namespace fs = std::filesystem;

namespace {

const std::string kName =
    "\xc2\x9b"
    "1m";  // what an old terminal takes for ESC [ 1 m
const std::string kShown = "\\xc2\\x9b1m";

// Two tensors of one name, which turns the direction of writing and sets a title.
std::string safetensors_twice() {
  const std::string entry = "\"\\u001b]0;title\\u0007\xe2\x80\xae" + kName +
                            "\": {\"dtype\": \"F32\", \"shape\": [], \"data_offsets\": [0, 4]}";
  const std::string header = "{" + entry + ", " + entry + "}";
  std::string content(8, '\0');
  content[0] = static_cast<char>(header.size() & 0xff);
  content[1] = static_cast<char>(header.size() >> 8);
  return content + header + std::string(4, '\0');
}

// A zip file with two entries of one name.
std::string zip_twice() {
  const std::string before = "data.pkl", after = kName + ".pkl";
  static_assert(sizeof("data.pkl") == sizeof("\xc2\x9b"
                                             "1m.pkl"));
  std::string content =
      read_file(fs::path(VISSL_SOURCE_DIR) / "tests/fuzz/corpus/zip/duplicate.pth");
  for (std::size_t at = 0; (at = content.find(before, at)) != std::string::npos;)
    content.replace(at, before.size(), after);
  return content;
}

void check_refused(const Result& result, const std::string& sentence) {
  INFO(result.err);
  CHECK(result.exit_code == 4);
  CHECK(result.err.find(sentence) != std::string::npos);
  const std::string all = result.out + result.err;
  for (const char* raw : {"\x1b", "\x07", "\xc2\x9b", "\xe2\x80\xae"})
    CHECK(all.find(raw) == std::string::npos);
}

}  // namespace

TEST_CASE("hostile text: inspect, convert and a run show the names of a file of weights safely") {
  const TempFolder folder;
  const std::string file = folder / "net.safetensors";
  write_file(file, safetensors_twice());
  const std::string sentence =
      "has two tensors called '\\x1b]0;title\\x07\\xe2\\x80\\xae" + kShown + "'";
  check_refused(run_host({"inspect", file}), sentence);
  check_refused(run_host({"inspect", "--json", file}), sentence);
  check_refused(run_host({"convert", file, folder / "out.pth", "--to", "torch"}), sentence);
  write_file(folder / "run.toml", small_config(folder / "run") +
                                      "[model.weights_init]\nparams_file = \"" + file + "\"\n");
  check_refused(run_host(run_arguments(folder / "run.toml")), sentence);
}

TEST_CASE("hostile text: a resume shows the names of a checkpoint safely, in its log as well") {
  const TempFolder folder;
  write_file(folder / "run.toml", small_config(folder / "run"));
  fs::create_directories(folder / "run");
  write_file(folder / "run" / "model_final_checkpoint_phase0.torch", zip_twice());
  check_refused(run_host(run_arguments(folder / "run.toml")),
                "has two entries called 'a/" + kShown + ".pkl'");
}
