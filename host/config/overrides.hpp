#pragma once
// Settings of the command line: key.path=value.
#include <string>
#include <vector>

#include "host/config/path.hpp"
#include "host/config/schema.hpp"

namespace vissl::host {

struct Override {
  std::vector<PathStep> path;
  std::string text;  // the value as typed
};

// Parses "optimizer.num_epochs=10"; a leading '+' (VISSL) is accepted. Throws Error(Exit::usage).
Override parse_override(const std::string& argument);

// Sets it in the merged tree. The text is read by the type that is declared for the place: a string
// needs no quotes. A place that nobody declares is set all the same, so that the check that follows
// refuses it with its usual words. Throws Error(Exit::usage) when the path leads through something
// that is no table or past the end of a list.
void apply_override(Value& root, const Override& setting, Schemas& schemas,
                    std::vector<std::string>& notes);

}  // namespace vissl::host
