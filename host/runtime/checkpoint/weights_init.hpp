#pragma once
// [model.weights_init]: values for a model from a file, through a weights component that plans what
// goes where. [main]
#include "host/boundary.hpp"
#include "host/runtime/model/model.hpp"
#include "host/runtime/setting.hpp"

namespace vissl::host {

// The tables of model.weights_init, which is one of them or a list; none when it is absent.
std::vector<Setting> weights_tables(const Setting& weights_init);

// Whether one of the tables has dry_run.
bool only_planned(const Setting& weights_init);

struct LoadedWeights {
  std::string summary;  // one line: how much of what files; empty = nothing was loaded
  std::string report;   // the lines below it
};

// Reads the file of each table, asks its profile for a plan for the tensors of its `part`, judges
// all plans together, and only then copies, table by table, so that a later one overwrites an
// earlier one: all or nothing. `strict` refuses plans that leave a tensor of the model
// uninitialised; with dry_run nothing is copied. Logs the profiles' lines and one summary per
// table, or the whole report with dry_run; writes the JSON report if `report` names a file. Throws
// Error(bad_data) for a file, Error(usage) for plans that do not fit. All ranks together: one
// rank's error is that of all, before anything is copied where it can be, and values that differ
// between the ranks' files are one, before anything uses them.
LoadedWeights init_weights(Model& model, const Setting& config, const Services& services,
                           bool strict);

}  // namespace vissl::host
