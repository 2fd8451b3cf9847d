#pragma once
// [model.weights_init]: values for a model from a file, through a weights component that plans what
// goes where. [main]
#include "host/boundary.hpp"
#include "host/runtime/model/model.hpp"
#include "host/runtime/setting.hpp"

namespace vissl::host {

// Reads the file, asks the profile for a plan, judges it, and only then copies: all or nothing.
// `strict` refuses a plan that leaves a parameter of the model uninitialised. Logs one summary.
// Throws Error(bad_data) for the file, Error(usage) for a plan that does not fit.
void init_weights(Model& model, const Setting& config, const Services& services, bool strict);

}  // namespace vissl::host
