#pragma once
// How a rank that fails before it has a runtime tells the others: a second way into
// libvissl_runtime.so.
#include "host/boundary.hpp"

namespace vissl::host {

#define VISSL_ANNOUNCE_SYMBOL "vissl_runtime_announce"
// Posts the failure where the ranks meet. True when rank 0 will tell it to the user. Throws
// nothing; does nothing for a caller of another build.
using AnnounceEntry = bool (*)(const char* build_id, const Ranks* ranks, const Error* error);

}  // namespace vissl::host
