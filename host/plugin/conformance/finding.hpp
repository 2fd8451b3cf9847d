#pragma once
// What check-plugin found: one line of its table.
#include <string>
#include <vector>

#include "host/boundary.hpp"

namespace vissl::host {

struct Finding {
  std::string level;      // "static", "load", "contract", "behaviour"
  std::string component;  // "loss/mse"; empty = the file as a whole
  std::string check;      // "exports"
  Verdict verdict;
};

struct PluginReport {
  std::string path;  // absolute
  std::vector<Finding> findings;

  std::size_t count(Outcome outcome) const {
    std::size_t n = 0;
    for (const Finding& finding : findings) n += finding.verdict.outcome == outcome ? 1 : 0;
    return n;
  }
};

constexpr const char* outcome_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::ok:
      return "ok";
    case Outcome::warn:
      return "warn";
    case Outcome::fail:
      return "FAIL";
    default:
      return "skipped";
  }
}

}  // namespace vissl::host
