#pragma once
// [model.weights_init]: values for a model from a file, through a weights component that plans what
// goes where. [main]
#include "host/boundary.hpp"
#include "host/runtime/model/model.hpp"
#include "host/runtime/setting.hpp"

namespace vissl::host {

struct LoadedWeights {
  std::string summary;  // one line: how much of what file; empty = nothing was loaded
  std::string report;   // the lines below it
};

// Reads the file, asks the profile for a plan, judges it, and only then copies: all or nothing.
// `strict` refuses a plan that leaves a tensor of the model uninitialised; with dry_run nothing is
// copied. Logs the profile's lines and one summary, or the whole report with dry_run; writes the
// JSON report if `report` names a file. Throws Error(bad_data) for the file, Error(usage) for a
// plan that does not fit. All ranks together: one rank's error is that of all, before anything is
// copied where it can be, and values that differ between the ranks' files are one, before anything
// uses them.
LoadedWeights init_weights(Model& model, const Setting& config, const Services& services,
                           bool strict);

}  // namespace vissl::host
