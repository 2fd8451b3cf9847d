#pragma once
// Runs the checks of a level in a child process, so that whatever a plugin does ends no more than
// that child.
#include <functional>
#include <string>
#include <vector>

#include "host/plugin/conformance/finding.hpp"

namespace vissl::host {

struct ChildCheck {
  std::string component;  // "loss/mse", or empty
  std::string check;
  std::function<Verdict()> run;  // in the child; an exception fails the check with its text
  std::string needs = {};        // skipped when that check of the component failed
};

struct ChildLevel {
  std::string level;
  // In the child, before the first check; may be empty. What it throws is no fault of the plugin
  // and ends the command.
  std::function<void()> prepare;
  std::vector<ChildCheck> checks;
  // After a crash: each of the remaining checks, the guilty one first, in a child of its own.
  // Without it the remaining ones are skipped, because they need what crashed.
  bool replay = true;
  double limit_seconds = 20;       // for one check
  bool name_state_checks = false;  // one line for each of state_check_names(), else one for all
};

// In the order of the checks, then the lines about the state of the process. The calling process
// must have one thread. [main]
std::vector<Finding> run_in_children(const ChildLevel& level);

}  // namespace vissl::host
