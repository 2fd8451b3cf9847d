#pragma once
// Runs vissl-host as a user does, in a child process, and waits for it.
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace vissl::test {

struct Result {
  int exit_code = -1;  // of a normal end
  int signal = 0;      // that ended it, 0 = none
  std::string out, err;
  double seconds = 0.0;
  std::int64_t peak_bytes = 0;  // most memory that it had resident
};

// `arguments` follow the program's name. `while_running` is called about every millisecond with the
// process id until it returns true (then no more) or the process ends. Throws std::runtime_error
// when the process takes longer than `limit`, after killing it.
Result run_host(const std::vector<std::string>& arguments,
                const std::function<bool(pid_t)>& while_running = {},
                std::chrono::seconds limit = std::chrono::seconds(300));

// {"--plugins", built-in plugins, "--plugins", plugins for tests, "--config", config, overrides…}
std::vector<std::string> run_arguments(const std::filesystem::path& config,
                                       const std::vector<std::string>& overrides = {});

}  // namespace vissl::test
