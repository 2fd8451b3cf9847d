// The corpora of the formats that plugins read, and their golden files, through the plugins.
#include <dlfcn.h>
#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "fuzz/format_target.hpp"
#include "temp_folder.hpp"

namespace fs = std::filesystem;
using vissl::test::read_file;

namespace {

const vissl_plugin& plugin(const std::string& name) {
  void* const library =
      ::dlopen((fs::path(VISSL_PLUGIN_DIR) / (name + ".so")).c_str(), RTLD_NOW | RTLD_LOCAL);
  REQUIRE(bool{library != nullptr});
  using Entry = const vissl_plugin* (*)();
  const auto entry = reinterpret_cast<Entry>(::dlsym(library, "vissl_plugin_entry_v1"));
  REQUIRE(bool{entry != nullptr});
  return *entry();
}

}  // namespace

TEST_CASE("fuzz: no plugin's format fails on its corpus, on golden files or on their torn halves") {
  const fs::path tests = fs::path(VISSL_SOURCE_DIR) / "tests";
  for (const std::string name : {"flax_msgpack", "onnx"}) {
    const vissl_plugin& format = plugin(name);
    int count = 0;
    for (const fs::path& folder : {tests / "fuzz/corpus" / name, tests / "golden" / name}) {
      for (const auto& entry : fs::directory_iterator(folder)) {
        if (!entry.is_regular_file()) continue;
        CAPTURE(entry.path());
        const std::string whole = read_file(entry.path());
        for (const std::size_t size :
             {whole.size(), whole.size() / 2, whole.size() - whole.size() / 8}) {
          // Exactly as large as the input, so that a sanitizer sees any read beyond its end.
          const std::vector<std::uint8_t> bytes(whole.begin(),
                                                whole.begin() + static_cast<std::ptrdiff_t>(size));
          vissl::fuzz::run_format(format, bytes.data(), bytes.size());
        }
        ++count;
      }
    }
    CHECK(count >= 20);
  }
}
