#pragma once
// What a shell may offer for the last word of a command line.
#include <string>
#include <vector>

#include "host/cli/session.hpp"

namespace vissl::host {

struct Completion {
  std::string text;
  std::string doc;
};

struct Completions {
  std::vector<Completion> words;  // each begins with the last word of the line
  bool files = false;             // file names as well
  bool no_space = false;          // a word is not complete: "optimizer."
};

// `words`: the line after the program's name, the last word perhaps empty. Plugins and configs that
// the line names are looked at; what is wrong with them only makes the answer shorter.
Completions complete(const std::vector<std::string>& words, const CommandContext& context);

}  // namespace vissl::host
