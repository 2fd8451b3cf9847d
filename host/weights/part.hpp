#pragma once
// The place in a file of weights that --part names.
#include <string>

#include "host/files/node.hpp"

namespace vissl::host {

// `part` is one dotted part of the names of `tree`, or several in a row: `part` itself if a name
// begins with it, else the one place where it stands, "classy_state_dict.loss.momentum_teacher" for
// "momentum_teacher". Throws Error(Exit::usage) that lists the parts there are when no tensor
// stands below it, and the places when there are several. `name`: of the file, for messages.
std::string place_of_part(const Node& tree, const std::string& part, const std::string& name);

}  // namespace vissl::host
