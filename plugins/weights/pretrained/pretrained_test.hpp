#pragma once
// Plans of the component as lines of text, for its tests.
#include <vissl/test.hpp>
#include <vissl/weights.hpp>

#include <algorithm>
#include <string>
#include <vector>

using Lines = std::vector<std::string>;
using Shapes = std::vector<vissl::test::NamedShape>;

inline Lines plan(const std::string& toml, const Shapes& source, const Shapes& targets) {
  vissl::test::Host host;
  host.load(VISSL_PLUGIN_DIR "/pretrained.so");
  return vissl::test::plan_weights(host.component("weights", "pretrained").create(toml), source,
                                   targets);
}

inline Lines auto_plan(const Shapes& source, const Shapes& targets) {
  return plan("profile = \"auto\"\npath = \"a.pth\"", source, targets);
}

// What the plan fails with.
inline std::string error(const std::string& toml, const Shapes& source, const Shapes& targets) {
  try {
    plan(toml, source, targets);
  } catch (const vissl::Failure& failure) {
    return failure.what();
  }
  return "no error";
}

inline bool has(const Lines& lines, const std::string& line) {
  return std::find(lines.begin(), lines.end(), line) != lines.end();
}
