#pragma once
// What `show model` prints.
#include <string>

#include "host/runtime/model/model.hpp"

namespace vissl::host {

// Names, shapes, types and counts of all parameters and buffers, and the trunk's features: a table
// for people, or one JSON object.
std::string show_model(const Model& model, bool json);

}  // namespace vissl::host
