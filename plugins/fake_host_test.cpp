// The fake host of the plugin tests, and what holds for every plugin that we ship.
#define VISSL_TEST_IMPLEMENTATION
#include <doctest/doctest.h>

#include <vissl/test.hpp>

#include <filesystem>

namespace {

TEST_CASE(
    "plugins: every file loads into a host that knows only the ABI, and declares itself well") {
  vissl::test::Host host;
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(VISSL_PLUGIN_DIR)) {
    if (entry.path().extension() != ".so") continue;
    CAPTURE(entry.path().string());
    CHECK_NOTHROW(host.load(entry.path().string()));
    ++files;
  }
  CHECK(files >= 10);
  CHECK(host.components().size() >= files);
  for (const vissl::test::Component& component : host.components()) {
    CAPTURE(component.kind);
    CAPTURE(component.name);
    CHECK(component.sentence.back() == '.');
    for (const vissl::test::DeclaredParam& param : component.declared.params) {
      CAPTURE(param.name);
      CHECK(param.doc.back() == '.');
    }
  }
}

}  // namespace
