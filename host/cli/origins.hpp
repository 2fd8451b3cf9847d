#pragma once
#include <string>
#include <utility>
#include <vector>

#include "host/config/value.hpp"

namespace vissl::host {

// One plain value of a config: "data.train.transforms[1].size", its node. A list of plain values is
// one.
using Leaf = std::pair<std::string, const Value*>;
std::vector<Leaf> leaves(const Value& root);

// {"data.train.transforms[1].size": "exp.toml:7:40", …}: where each value comes from, for the
// record of a run.
std::string origins_json(const Value& root);

}  // namespace vissl::host
