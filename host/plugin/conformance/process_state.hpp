#pragma once
// The state of a process that every component shares and none may change.
#include <signal.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace vissl::host {

struct ProcessState {
  int threads = 0;
  std::vector<std::string> environment;  // sorted
  std::string folder;
  std::string locale;
  int rounding = 0;
  unsigned float_control = 0;  // flush-to-zero and exception masks of this thread
  unsigned file_mask = 0;
  std::vector<std::string> files;  // "7 -> /etc/passwd": open descriptors
  std::array<std::uintptr_t, 65> handlers{};

  static ProcessState now();
};

struct StateChange {
  std::string check;  // "threads", "environment", "signals" …
  std::string text;   // completes "the plugin …"
};

// What differs between two states of one process.
std::vector<StateChange> state_changes(const ProcessState& before, const ProcessState& after);

// The checks that state_changes() may name, and "quiet".
const std::vector<std::string>& state_check_names();

// Puts rounding mode, folder, file mask and locale back, so that one fault does not spoil the
// checks after it.
void restore_state(const ProcessState& state);

}  // namespace vissl::host
