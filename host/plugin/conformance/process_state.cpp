#include "host/plugin/conformance/process_state.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cfenv>
#include <clocale>
#include <filesystem>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

extern char** environ;

namespace fs = std::filesystem;

namespace vissl::host {
namespace {

// The status flags of the control register say what happened; the others are settings.
unsigned read_float_control() {
#if defined(__x86_64__)
  return _mm_getcsr() & ~0x3fu;
#else
  return 0;
#endif
}

std::uintptr_t handler_of(int signal) {
  struct sigaction action {};
  if (::sigaction(signal, nullptr, &action) != 0) return 0;
  return (action.sa_flags & SA_SIGINFO) != 0 ? reinterpret_cast<std::uintptr_t>(action.sa_sigaction)
                                             : reinterpret_cast<std::uintptr_t>(action.sa_handler);
}

// The first line of `after` that `before` lacks, or the other way round.
std::string difference(const std::vector<std::string>& before,
                       const std::vector<std::string>& after) {
  std::vector<std::string> only;
  std::set_symmetric_difference(before.begin(), before.end(), after.begin(), after.end(),
                                std::back_inserter(only));
  return only.empty() ? "" : only.front();
}

}  // namespace

ProcessState ProcessState::now() {
  ProcessState state;
  std::error_code ignored;
  for (fs::directory_iterator it("/proc/self/task", ignored), end; !ignored && it != end;
       it.increment(ignored))
    ++state.threads;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry)
    state.environment.emplace_back(*entry);
  std::sort(state.environment.begin(), state.environment.end());
  state.folder = fs::current_path(ignored).string();
  const char* locale = std::setlocale(LC_ALL, nullptr);
  state.locale = locale != nullptr ? locale : "";
  state.rounding = std::fegetround();
  state.float_control = read_float_control();
  state.file_mask = ::umask(0);
  ::umask(state.file_mask);
  for (int fd = 0; fd < 256; ++fd) {
    const fs::path target = fs::read_symlink("/proc/self/fd/" + std::to_string(fd), ignored);
    if (!ignored) state.files.push_back(std::to_string(fd) + " -> " + target.string());
  }
  std::sort(state.files.begin(), state.files.end());
  for (int signal = 1; signal < static_cast<int>(state.handlers.size()); ++signal)
    state.handlers[static_cast<std::size_t>(signal)] = handler_of(signal);
  return state;
}

std::vector<StateChange> state_changes(const ProcessState& before, const ProcessState& after) {
  std::vector<StateChange> changes;
  if (after.threads > before.threads)
    changes.push_back({"threads", "left " + std::to_string(after.threads - before.threads) +
                                      " thread(s) running; end them before the call returns"});
  if (after.environment != before.environment) {
    std::string line = difference(before.environment, after.environment);
    line.erase(std::min(line.find('='), line.size()));
    changes.push_back({"environment", "changed the environment variable '" + line +
                                          "'; other plugins and the host read them"});
  }
  if (after.folder != before.folder)
    changes.push_back({"folder", "changed the working folder to '" + after.folder +
                                     "', so relative paths of the config mean other files"});
  if (after.locale != before.locale)
    changes.push_back({"locale", "changed the locale to '" + after.locale +
                                     "', so numbers are read and written differently"});
  if (after.rounding != before.rounding || after.float_control != before.float_control)
    changes.push_back({"floating_point",
                       "changed the rounding mode or the handling of denormal numbers of the "
                       "calling thread; put it back before the call returns"});
  if (after.file_mask != before.file_mask)
    changes.push_back({"file_mask", "changed the mask of new files (umask)"});
  if (after.files != before.files)
    changes.push_back({"files", "left an open file or closed one of the host's (descriptor " +
                                    difference(before.files, after.files) + ")"});
  for (std::size_t signal = 1; signal < before.handlers.size(); ++signal)
    if (after.handlers[signal] != before.handlers[signal]) {
      changes.push_back({"signals", "changed the handler of signal " + std::to_string(signal) +
                                        "; the host needs them to save and stop"});
      break;
    }
  return changes;
}

const std::vector<std::string>& state_check_names() {
  static const std::vector<std::string> names = {"quiet",  "threads",   "environment",
                                                 "folder", "locale",    "floating_point",
                                                 "files",  "file_mask", "signals"};
  return names;
}

void restore_state(const ProcessState& state) {
  std::fesetround(state.rounding);
#if defined(__x86_64__)
  _mm_setcsr(state.float_control);
#endif
  std::error_code ignored;
  fs::current_path(state.folder, ignored);
  std::setlocale(LC_ALL, state.locale.c_str());
  ::umask(state.file_mask);
}

}  // namespace vissl::host
