#include "host/plugin/search_path.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "host/files/error.hpp"

using namespace vissl::host;
namespace fs = std::filesystem;

namespace {

struct TempFolder {
  explicit TempFolder(const std::string& name)
      : path(fs::temp_directory_path() / ("vissl_" + name)) {
    fs::remove_all(path);
    fs::create_directories(path);
  }
  ~TempFolder() { fs::remove_all(path); }
  std::string sub(const std::string& name) const {
    fs::create_directories(path / name);
    return (path / name).string();
  }
  fs::path path;
};

}  // namespace

TEST_CASE(
    "search path: flags come first, then the variable; nothing twice; missing parts of the "
    "variable are skipped") {
  const TempFolder folder("search");
  const std::string a = folder.sub("a"), b = folder.sub("b"), beside = folder.sub("plugins");
  CHECK(plugin_places({b}, a + "::" + b + ":/nonexistent", folder.path) ==
        std::vector<std::string>{b, a});
  CHECK(plugin_places({a + "/../b"}, "", folder.path) == std::vector<std::string>{b});
}

TEST_CASE(
    "search path: the built-in plugins stand beside the executable when nothing else is named") {
  const TempFolder folder("beside");
  const std::string beside = folder.sub("plugins");
  CHECK(plugin_places({}, "", folder.path) == std::vector<std::string>{beside});
  const TempFolder installed("installed");
  const std::string library = installed.sub("lib/vissl/plugins"), bin = installed.sub("bin");
  CHECK(plugin_places({}, "", bin) == std::vector<std::string>{library});
}

TEST_CASE("search path: a missing --plugins folder is a usage error") {
  try {
    plugin_places({"/nonexistent/plugins"}, "", "/");
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.code() == Exit::usage);
    CHECK(std::string(error.what()) ==
          "--plugins '/nonexistent/plugins': no such folder; name the folder that holds the "
          "plugins' .so files");
  }
}

TEST_CASE("discovery: files come in a fixed order and a bad one does not stop it") {
  const std::vector<PluginFile> files =
      discover_plugins({VISSL_TEST_PLUGIN_DIR "/bad", VISSL_TEST_PLUGIN_DIR "/fixture"});
  std::vector<std::string> names;
  for (const PluginFile& file : files) names.push_back(fs::path(file.path).stem());
  CHECK(std::is_sorted(names.begin(), names.end() - 3));
  CHECK(std::vector<std::string>(names.end() - 3, names.end()) ==
        std::vector<std::string>{"data", "model", "training"});
  CHECK(std::count_if(files.begin(), files.end(),
                      [](const PluginFile& file) { return !file.problem.empty(); }) == 2);
}

TEST_CASE("discovery: 150 plugins are listed from their metadata, none of them loaded") {
  const TempFolder folder("many");
  for (int i = 0; i < 150; ++i)
    fs::copy_file(VISSL_TEST_PLUGIN_DIR "/fixture/model.so",
                  folder.path / ("p" + std::to_string(i) + ".so"));
  std::size_t components = 0;
  for (const PluginFile& file : discover_plugins({folder.path}))
    components += file.components.size();
  CHECK(components == 150 * 7);
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    CHECK(line.find(folder.path.string()) == std::string::npos);
}
