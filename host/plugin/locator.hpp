#pragma once
// Locators of weights: "scheme://rest" or "scheme:rest", answered by plugins of kind weights_scheme
// (weights_scheme.h).
#include <string>
#include <vector>

#include "host/boundary.hpp"
#include "host/config/declaration.hpp"

namespace vissl::host {

struct Located {
  std::string path;
  std::string origin;  // the last locator before the path, without secrets; the path when there was
                       // none
  std::string keep;    // names that count begin so, see vissl_located
  std::string sha256;  // of the content, checked; empty = not known
};

// Follows `locator` from scheme to scheme to a path. What names no scheme is a path and comes back
// as it is, with "~" expanded.
//
// The scheme is the longest literal prefix that fits: a `prefix` of an entry of `schemes`, or
// "NAME:" of a component. Two for one prefix are an error, unless an entry takes it over with
// force = true. `schemes`: the config's list of { name, parameters }; NULL = none. `log`: for what
// schemes say and for progress; NULL = nowhere.
//
// A pin "#sha256=" is compared with the file's content. Throws Error(Exit::usage) for an unknown
// scheme, a missing parameter or prefixes that conflict, Error(Exit::run_failed) for a scheme that
// breaks its contract, Error(Exit::bad_data) for other content than was pinned, and what the
// scheme itself reports; each names the locator, without its secrets.
Located locate(Catalogue& catalogue, DeclarationIndex& index, const Value* schemes,
               const std::string& locator, Logger* log);

// A name that a scheme knows.
struct KnownWeights {
  std::string locator;  // "torchvision://resnet50"
  std::string place;    // where it leads first: an address, a path, another locator
  std::string sha256;   // of the content: whole from its pin, or the beginning that the file's name
                        // ends in ("resnet50-0676ba61.pth"); empty = not known
};

// The names of all schemes that have a list, with those that the config's entries add; sorted. A
// scheme that needs a parameter is asked when `schemes` gives it; one that fails is a warning in
// the log. Uses no network.
std::vector<KnownWeights> known_weights(Catalogue& catalogue, DeclarationIndex& index,
                                        const Value* schemes, Logger* log);

}  // namespace vissl::host
