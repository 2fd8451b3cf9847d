#include <doctest/doctest.h>

#include <vissl/test.hpp>

#include <filesystem>
#include <fstream>

using vissl::test::Host;
using vissl::test::resolve_weights;

namespace {

struct ZooFolder {
  std::filesystem::path path = std::filesystem::current_path() / "zoo_test_folder";
  ZooFolder() {
    std::filesystem::create_directory(path);
    std::ofstream(path / "index.txt") << "small nets/small.torch\n\nbig https://example.org/b\n";
  }
  ~ZooFolder() { std::filesystem::remove_all(path); }
  std::string config() const { return "root = \"" + path.string() + "\""; }
};

}  // namespace

TEST_CASE("zoo: a path is relative to the folder, another locator is passed on") {
  const ZooFolder folder;
  Host host;
  host.load(PLUGIN);
  const auto zoo = host.component("weights_scheme", "zoo").create(folder.config());
  CHECK(resolve_weights(zoo, "zoo://small") == (folder.path / "nets/small.torch").string());
  CHECK(resolve_weights(zoo, "zoo://big") == "https://example.org/b");
  CHECK(vissl::test::known_weights(zoo) ==
        std::vector<std::string>{"small " + (folder.path / "nets/small.torch").string(),
                                 "big https://example.org/b"});
}

TEST_CASE("zoo: an unknown name lists the known ones, a missing index names its file") {
  const ZooFolder folder;
  Host host;
  host.load(PLUGIN);
  const auto zoo = host.component("weights_scheme", "zoo").create(folder.config());
  CHECK_THROWS_WITH(resolve_weights(zoo, "zoo://tiny"),
                    "the zoo has no 'tiny'; it has: small, big");
  const auto empty = host.component("weights_scheme", "zoo").create("root = \"/nowhere\"");
  CHECK_THROWS_WITH(resolve_weights(empty, "zoo://small"),
                    "cannot read the zoo's /nowhere/index.txt");
}
