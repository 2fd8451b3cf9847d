#include "host/plugin/libtorch_use.hpp"

#include <doctest/doctest.h>

#include <filesystem>

#include "host/plugin/catalogue.hpp"
#include "host/plugin/search_path.hpp"

using namespace vissl::host;

namespace {

const std::string kBad = std::string(VISSL_TEST_PLUGIN_DIR) + "/bad";
const std::string kCompiledFor = "torch 99.0.0, libstdc++ with C++11 ABI 1, sizes 8";

struct Setup {
  Setup() : catalogue({kBad}, discover_plugins({kBad}), {}, services) {}
  std::string use() {
    try {
      return catalogue.find("loss", "other_libtorch", "") != nullptr ? "used" : "not found";
    } catch (const Error& error) {
      CHECK(error.code() == Exit::bad_plugin);
      return error.what();
    }
  }
  void offer(const std::string& own) {
    services.offer_libtorch({[own] { return own; }, [this] { ++opened; }});
  }
  HostServices services;
  PluginCatalogue catalogue;
  int opened = 0;
};

}  // namespace

TEST_CASE("libtorch: a plugin's fingerprint is read without opening it") {
  CHECK(read_fingerprint(kBad + "/other_libtorch.so") == kCompiledFor);
  CHECK(read_fingerprint(kBad + "/failing_init.so").empty());
}

TEST_CASE("libtorch: a plugin for another one is refused before anything of it is opened") {
  Setup setup;
  setup.offer("torch 2.11.0, libstdc++ with C++11 ABI 1, sizes 8");
  CHECK(setup.use() == "plugin '" + kBad + "/other_libtorch.so' is compiled for '" + kCompiledFor +
                           "', and this host runs 'torch 2.11.0, libstdc++ with C++11 ABI 1, "
                           "sizes 8'; build the plugin against the host's libtorch");
  CHECK(setup.opened == 0);
}

TEST_CASE("libtorch: it is opened before a plugin whose fingerprint is the same") {
  Setup setup;
  setup.offer(kCompiledFor);
  CHECK(setup.use() == "used");
  CHECK(setup.opened == 1);
  CHECK(setup.use() == "used");
  CHECK(setup.opened == 1);
}

TEST_CASE("libtorch: damaged files are survived") {
  CHECK_FALSE(libtorch_use("").needed);
  CHECK_FALSE(libtorch_use("\x7f"
                           "ELF cut short")
                  .needed);
}
