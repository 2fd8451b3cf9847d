#pragma once
// Locators of weights: "scheme://rest", answered by plugins of kind weights_scheme
// (weights_scheme.h).
#include <string>

#include "host/boundary.hpp"
#include "host/config/declaration.hpp"

namespace vissl::host {

// Follows `locator` from scheme to scheme to an absolute path. What has no "://" is a path already
// and returned as it is. `schemes`: the config's list of { name, parameters }; NULL = none. Throws
// Error(Exit::usage) for an unknown scheme or a missing parameter, Error(Exit::run_failed) for a
// scheme that breaks its contract, and what the scheme itself reports; each names the locator.
std::string resolve_locator(Catalogue& catalogue, DeclarationIndex& index, const Value* schemes,
                            const std::string& locator);

}  // namespace vissl::host
