#include "host/cli/new_plugin.hpp"

#include <doctest/doctest.h>

#include "host/files/error.hpp"
#include "host/plugin/kinds.hpp"
#include "temp_folder.hpp"

using namespace vissl::host;
using vissl::test::read_file;
using vissl::test::TempFolder;

namespace {

template <class Body>
std::string usage_error(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    CHECK(error.code() == Exit::usage);
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("new-plugin: every kind has its four files, with the names filled in") {
  for (const Kind& kind : kinds()) {
    CAPTURE(kind.name);
    const std::vector<NewFile> files = new_plugin_files(kind.name, "my_new_thing");
    REQUIRE(files.size() == 4);
    CHECK(files[0].name == "my_new_thing.cpp");
    CHECK(files[1].name == "my_new_thing_test.cpp");
    CHECK(files[2].name == "CMakeLists.txt");
    CHECK(files[3].name == "README.md");
    CHECK(files[0].text.find("MyNewThing") != std::string::npos);
    for (const NewFile& file : files) {
      CHECK(file.text.find("my_new_thing") != std::string::npos);
      for (const char* left : {"my_component", "MyComponent", "my_kind"})
        CHECK(file.text.find(left) == std::string::npos);
    }
  }
}

TEST_CASE("new-plugin: a kind or a name that cannot be is refused") {
  CHECK(usage_error([] { new_plugin_files("los", "x"); }) ==
        "there is no kind 'los'; did you mean 'loss'?");
  CHECK(usage_error([] {
          new_plugin_files("qqqqqqqq", "x");
        }).starts_with("there is no kind 'qqqqqqqq'; the kinds are trunk, head, loss, "));
  for (const char* bad : {"", "9lives", "_x", "a-b", "a/b", "a b", "größe", "../x"}) {
    CAPTURE(bad);
    CHECK(usage_error([&] { new_plugin_files("loss", bad); }) ==
          "'" + std::string(bad) +
              "' cannot be a component's name: it begins with a letter and has letters, digits and "
              "underscores, at most 60");
  }
  CHECK(
      usage_error([] { new_plugin_files("loss", std::string(61, 'a')); }).ends_with("at most 60"));
  CHECK(usage_error([] { new_plugin_files("loss", "test"); }) ==
        "'test' cannot be a component's name: CMake has a target of that name");
}

TEST_CASE("new-plugin: an existing file stays, and then nothing is written") {
  const TempFolder folder;
  const std::string plugin = (folder.path() / "new/plugin").string();
  const std::vector<NewFile> files = {{"a.cpp", "a"}, {"b.cpp", "b"}};
  write_new_files(plugin, files);
  CHECK(read_file(folder.path() / "new/plugin/b.cpp") == "b");
  CHECK(usage_error([&] {
          write_new_files(plugin, {{"c.cpp", "c"}, {"b.cpp", "other"}});
        }) == "'" + plugin + "/b.cpp' exists already; name another folder with --output");
  CHECK(read_file(folder.path() / "new/plugin/b.cpp") == "b");
  CHECK_FALSE(std::filesystem::exists(folder.path() / "new/plugin/c.cpp"));
}
