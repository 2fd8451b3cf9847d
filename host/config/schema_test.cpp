#include "host/config/schema.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "host/config/toml_text.hpp"

using namespace vissl::host;
namespace fs = std::filesystem;

namespace {

// Calls `visit(key)` for every key of the host's own schema.
template <class Visit>
void each_key(const SchemaKey& place, Visit&& visit) {
  for (const std::vector<SchemaKey>* keys : {&place.inner, &place.others})
    for (const SchemaKey& key : *keys) {
      visit(key);
      each_key(key, visit);
    }
}

// The source text of what reads the config, or derives from it, without tests.
std::string readers() {
  std::ostringstream all;
  for (const char* folder :
       {"host/runtime", "host/data", "host/cli", "host/plugin", "plugins/weights"})
    for (const auto& entry :
         fs::recursive_directory_iterator(fs::path(VISSL_SOURCE_DIR) / folder)) {
      const std::string name = entry.path().string();
      if (entry.path().extension() == ".cpp" && !name.ends_with("_test.cpp"))
        all << std::ifstream(name).rdbuf();
    }
  return all.str();
}

}  // namespace

TEST_CASE("schema: every default fits its own type, bounds and choices") {
  each_key(root_schema(), [](const SchemaKey& key) {
    if (!key.param.fallback) return;
    CAPTURE(key.param.name);
    Value copy = *key.param.fallback;
    CHECK_FALSE(mismatch(key.param, copy).has_value());
    CHECK(same(copy, *key.param.fallback));
  });
}

TEST_CASE("schema: every key has a sentence, and no name stands twice in one table") {
  const auto check_table = [](const std::vector<SchemaKey>& keys) {
    std::set<std::string> names;
    for (const SchemaKey& key : keys) CHECK(names.insert(key.param.name).second);
  };
  check_table(root_schema().inner);
  each_key(root_schema(), [&](const SchemaKey& key) {
    CAPTURE(key.param.name);
    check_table(key.inner);
    if (!key.param.name.empty()) CHECK(key.param.doc.ends_with("."));
  });
}

TEST_CASE("schema: no key is accepted and then ignored") {
  const std::string text = readers();
  each_key(root_schema(), [&](const SchemaKey& key) {
    const std::string& name = key.param.name;
    if (name.empty() || key.shape == Shape::section) return;
    // One value means that there is nothing to read; head_defaults are merged into the heads by
    // inference.
    if (key.param.choices.size() == 1 || name.starts_with("batchnorm_") ||
        name == "params_multiplier")
      return;
    CAPTURE(name);
    const bool read = text.find("\"" + name + "\"") != std::string::npos ||
                      text.find("." + name + "\"") != std::string::npos ||
                      text.find("\"" + name + ".") != std::string::npos ||
                      text.find("." + name + ".") != std::string::npos;
    CHECK(read);
  });
}

TEST_CASE("schema: the word auto and integers are one type") {
  Param param;
  param.name = "n";
  param.type = kIntegerOrAuto;
  param.min = 0;
  Value word = Value::text("auto"), other = Value::text("all"), number = Value::integer(3),
        low = Value::integer(-1);
  CHECK_FALSE(mismatch(param, word).has_value());
  CHECK_FALSE(mismatch(param, number).has_value());
  CHECK(*mismatch(param, other) ==
        "must be \"auto\" or an integer of at least 0, not the string \"all\"");
  CHECK(mismatch(param, low).has_value());
}
