#pragma once
// [model.weights_init]: values for a model from a file, through a weights component that plans what
// goes where. [main]
#include "host/boundary.hpp"
#include "host/runtime/model/model.hpp"
#include "host/runtime/setting.hpp"

namespace vissl::host {

// Reads the file, asks the profile for a plan, judges it, and only then copies: all or nothing.
// `strict` refuses a plan that leaves a tensor of the model uninitialised; with dry_run nothing is
// copied. Logs the profile's lines and one summary, or the whole report with dry_run; writes the
// JSON report if `report` names a file. Returns the report as text. All ranks together. Throws
// Error(bad_data) for the file, Error(usage) for a plan that does not fit.
std::string init_weights(Model& model, const Setting& config, const Services& services,
                         bool strict);

}  // namespace vissl::host
