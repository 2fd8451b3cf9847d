#pragma once
// Where the ranks of a run meet: a store that lives in rank 0.
#include <c10/util/intrusive_ptr.h>

#include <chrono>
#include <string>

#include "host/boundary.hpp"

namespace c10d {
class Store;
}

namespace vissl::host {

// An error in which no other rank's end has a part.
class MeetingError : public Error {
 public:
  explicit MeetingError(const std::string& text) : Error(Exit::distributed, text) {}
};

std::string place_of(const Ranks& ranks);               // "127.0.0.1:29500"
std::string within(std::chrono::milliseconds timeout);  // " within 30 s"

// The store of the run; `ranks.port` becomes its port. Throws MeetingError when rank 0 cannot
// listen, or, after `timeout`, when this rank does not reach it.
c10::intrusive_ptr<c10d::Store> open_store(Ranks& ranks, std::chrono::milliseconds timeout);

}  // namespace vissl::host
