#pragma once
// Paths into a config: data.train.transforms[1].size, transforms[Resize].size,
// transforms[*].total_num_crops.
#include <string>
#include <string_view>
#include <vector>

#include "host/config/value.hpp"

namespace vissl::host {

struct PathStep {
  enum class Kind { key, index, named, any };
  Kind kind;
  std::string text;       // key, or the name in [Name]
  std::size_t index = 0;  // of [1]
};

// Throws Error(Exit::usage) with what is wrong with the text.
std::vector<PathStep> parse_path(std::string_view text);
std::string path_text(const std::vector<PathStep>& steps);

// The node at a path, NULL when there is none. [*] is the first element in which the rest of the
// path is found; a key step on a list means the same, so that model.heads[0].dims works for chained
// heads.
const Value* find_path(const Value& root, const std::vector<PathStep>& steps);
const Value* find_path(const Value& root, std::string_view path);

// Position of the one component called `name` in a list. Throws Error(Exit::usage) when there is
// none or more than one.
std::size_t position_of(const Value& list, const std::string& name, const std::string& path);

// "key" below `path`: "data" + "train" -> "data.train".
std::string join_path(const std::string& path, std::string_view key);
std::string join_path(const std::string& path, std::size_t index);

}  // namespace vissl::host
