#pragma once
// What differs between the config of an earlier run and that of this one.
#include <string>
#include <vector>

#include "host/boundary.hpp"
#include "host/config/value.hpp"

namespace vissl::host {

// Compares every value of the resolved configs, `stored` as TOML text, in the order of `now`. Left
// out is what cannot change the weights of a run: checkpoint.*, log_frequency, num_workers, and
// device, threads and precision, whose resolved forms are compared elsewhere. A key that `stored`
// lacks counts only if the user has set it, so that a later version may add keys.
std::vector<ConfigChange> config_changes(const std::string& stored, const Value& now);

}  // namespace vissl::host
