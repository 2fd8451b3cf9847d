#pragma once
// The end of a rank that fails before it has met the others.
#include <chrono>

#include "host/boundary.hpp"

namespace vissl::host {

// Posts `error` in the store of the run, where the others' watches find it. Rank 0, in which the
// store lives, opens it for that and stays until the others have read, at most `patience`; others
// wait so long for rank 0. True when rank 0 has met no error of its own and tells this one. Throws
// MeetingError when the store cannot be reached.
bool announce(Ranks ranks, const Error& error, std::chrono::milliseconds patience);

}  // namespace vissl::host
