// Runs on the SDK's fake host: no vissl-host and no libtorch needed.
#include <doctest/doctest.h>

#include <vissl/test.hpp>

#include <filesystem>
#include <fstream>

TEST_CASE("my_component: a file of the folder, or an error with its path") {
  vissl::test::Host host;
  host.load(PLUGIN);
  const std::filesystem::path root = std::filesystem::current_path() / "my_component_test_folder";
  std::filesystem::create_directory(root);
  std::ofstream(root / "small.torch") << "x";
  const vissl::test::Instance scheme =
      host.component("weights_scheme", "my_component").create("root = \"" + root.string() + "\"");
  const std::string file = (root / "small.torch").string();
  CHECK(vissl::test::resolve_weights(scheme, "my_component://small") == file);
  std::filesystem::remove_all(root);
  CHECK_THROWS_WITH(vissl::test::resolve_weights(scheme, "my_component://small"),
                    ("there is no file '" + file + "'").c_str());
}
