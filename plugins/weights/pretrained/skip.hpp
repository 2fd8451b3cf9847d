#pragma once
// skip_layers: which tensors of the model stay as initialised.
#include <optional>
#include <string>
#include <vector>

#include "regex.hpp"

namespace pretrained {

// One entry: "glob:PATTERN" is a shell pattern for the whole name, in which * matches dots too;
// "re:PATTERN" a regular expression of Python, found anywhere in it; any other text a part of it.
class SkipEntry {
 public:
  // Fails (VISSL_E_CONFIG) for an empty entry and for an expression that Python does not take.
  explicit SkipEntry(std::string text);

  bool matches(const std::string& target) const;
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::string glob_;  // empty: it is none
  std::optional<Rule> expression_;
};

// The text of the first entry that matches; empty = none.
std::string skipped_by(const std::vector<SkipEntry>& skip, const std::string& target);

}  // namespace pretrained
