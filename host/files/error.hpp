#pragma once
// The one exception type of the host: an exit code (README, "Exit codes") and one sentence for the
// user.
#include <stdexcept>
#include <string>

namespace vissl::host {

enum class Exit : int {
  done = 0,
  run_failed = 1,     // the run itself failed (NaN, disk full, a component raised an error)
  usage = 2,          // command line or configuration, no such component, strict weights mismatch
  bad_plugin = 3,     // a plugin file exists but cannot be used
  bad_data = 4,       // a data or weights file is missing or unreadable
  distributed = 5,    // a rank stalled or was lost, or the ranks could not meet
  saved = 75,         // saved its state, run the same command again
  interrupted = 130,  // SIGINT without a save
  terminated = 143,   // SIGTERM without a save
};

// `what()` is the full text shown to the user, without a trailing newline.
class Error : public std::runtime_error {
 public:
  Error(Exit code, const std::string& text) : std::runtime_error(text), code_(code) {}
  Exit code() const noexcept { return code_; }

 private:
  Exit code_;
};

}  // namespace vissl::host
