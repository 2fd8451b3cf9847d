#include "host/cli/config_changes.hpp"

#include <doctest/doctest.h>

#include "host/config/toml_read.hpp"

using namespace vissl::host;

namespace {

std::string changes(const char* before, const char* now) {
  std::string text;
  for (const ConfigChange& change : config_changes(before, parse_toml(now, "exp.toml")))
    text += change.path + ": '" + change.before + "' '" + change.now + "'\n";
  return text;
}

}  // namespace

TEST_CASE("config changes: equal values are none, whatever their order") {
  CHECK(changes("a = 1\nb = { c = [1, 2], d = \"x\" }", "b = { d = \"x\", c = [1, 2] }\na = 1") ==
        "");
}

TEST_CASE("config changes: a changed, an added and a removed value are named with both values") {
  CHECK(changes("[optimizer]\nname = \"sgd\"\nnesterov = false",
                "[optimizer]\nname = \"adam\"\neps = 0.5") ==
        "optimizer.name: '\"sgd\"' '\"adam\"'\noptimizer.eps: '' '0.5'\noptimizer.nesterov: "
        "'false' ''\n");
  CHECK(changes("t = [{ name = \"A\" }, { name = \"B\", p = 0.5 }]", "t = [{ name = \"A\" }]") ==
        "t[1].name: '\"B\"' ''\nt[1].p: '0.5' ''\n");
  CHECK(changes("s = [1, 2]", "s = [1, 3]") == "s: '[1, 2]' '[1, 3]'\n");
}

TEST_CASE("config changes: what cannot change the weights does not count") {
  CHECK(changes("log_frequency = 1\ncheckpoint = { dir = \"a\" }\nmachine = { threads = 1 }\n"
                "data = { train = { num_workers = 1 } }",
                "log_frequency = 2\ncheckpoint = { dir = \"b\" }\nmachine = { threads = 2 }\n"
                "data = { train = { num_workers = 4 } }") == "");
}

TEST_CASE("config changes: a default that an earlier version did not have does not count") {
  Value now = parse_toml("a = 1", "exp.toml");
  now.set("new_key", Value::integer(3));
  CHECK(config_changes("a = 1", now).empty());
}
