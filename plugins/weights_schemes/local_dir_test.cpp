#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <vissl/test.hpp>

#include "temp_folder.hpp"

using vissl::test::ask_for_weights;
using vissl::test::write_file;

namespace {

vissl::test::ResolvedWeights ask(const std::string& locator) {
  vissl::test::Host host;
  host.load(std::string(VISSL_PLUGIN_DIR) + "/local_dir.so");
  return ask_for_weights(host.component("weights_scheme", "local-dir").create(""), locator);
}

}  // namespace

TEST_CASE("local-dir: the usual names come first, then endings, the first of several") {
  const vissl::test::TempFolder folder;
  const std::string dir = "local-dir:" + folder.path().string();
  CHECK_THROWS_WITH(ask(dir),
                    ("No suitable checkpoints found in " + folder.path().string() + ".").c_str());
  write_file(folder / "config.json", "{}");
  write_file(folder / "b.bin", "");
  CHECK(ask(dir).place == folder / "b.bin");
  write_file(folder / "z.pth.tar", "");
  CHECK(ask(dir).place == folder / "z.pth.tar");
  write_file(folder / "n.pth", "");
  write_file(folder / "m.pth", "");
  const auto several = ask(dir);
  CHECK(several.place == folder / "m.pth");
  CHECK(several.warnings == std::vector<std::string>{"Multiple .pth checkpoints in " +
                                                     folder.path().string() + ". Using 'm.pth'."});
  write_file(folder / "model.pth", "");
  CHECK(ask(dir).place == folder / "model.pth");
  write_file(folder / "model.safetensors", "");
  CHECK(ask("local-dir://" + folder.path().string()).place == folder / "model.safetensors");
  ::setenv("HOME", folder.path().c_str(), 1);
  CHECK(ask("local-dir:~").place == folder / "model.safetensors");
  CHECK_THROWS_WITH(ask(dir + "/absent"),
                    ("Specified path is not a directory: " + (folder / "absent").string()).c_str());
}
