#pragma once
// Turns a crash inside a plugin into one sentence that names the plugin, before the process dies.
#include <string>

#include "host/boundary.hpp"
#include "host/mapped_name.hpp"

namespace vissl::host {

// While it lives, a crash of this thread (SIGSEGV, SIGBUS, SIGILL, SIGFPE, abort, an exception that
// nobody may catch) prints "error: <what> crashed …; <remedy>" on stderr and ends the process with
// `exit_code`. Notes nest; the innermost counts.
class CrashNote {
 public:
  CrashNote(const std::string& what, const std::string& during, const std::string& remedy,
            int exit_code);
  ~CrashNote();
  CrashNote(const CrashNote&) = delete;
  CrashNote& operator=(const CrashNote&) = delete;

 private:
  friend struct CrashReport;
  std::string head_;  // built before the crash: a handler may not allocate
  std::string tail_;
  int exit_code_;
  const CrashNote* outer_;
};

// The same for calls of created components, by InPlugin: one sentence with plugin, component,
// method and iteration, then the crash takes its usual effect, so that a core file can be had.
CrashPlace& crash_place() noexcept;

// Installs the handlers, once, on the main thread before any other thread starts. Crashes without a
// note keep their usual effect. SIGBUS in a file that the host mapped is no crash: it ends the
// process with Exit::bad_data and a sentence that names the file.
void install_crash_handler();

// A library that maps files as well, the runtime; NULL = it does not tell. It stays loaded.
void also_ask_for_mapped(MappedName names) noexcept;

}  // namespace vissl::host
