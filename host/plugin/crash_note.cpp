#include "host/plugin/crash_note.hpp"

#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <exception>

namespace vissl::host {
namespace {

thread_local const CrashNote* t_note = nullptr;

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
struct sigaction g_before[std::size(kSignals)];

void put(const char* text, std::size_t size) noexcept {
  while (size > 0) {
    const ssize_t written = ::write(STDERR_FILENO, text, size);
    if (written <= 0) return;
    text += written;
    size -= static_cast<std::size_t>(written);
  }
}
void put(const char* text) noexcept {
  put(text, std::strlen(text));
}

const char* signal_name(int signal) noexcept {
  switch (signal) {
    case SIGSEGV:
      return "SIGSEGV";
    case SIGBUS:
      return "SIGBUS";
    case SIGILL:
      return "SIGILL";
    case SIGFPE:
      return "SIGFPE";
    default:
      return "SIGABRT";
  }
}

}  // namespace

// Runs in a signal handler or on the way out: nothing here allocates or takes a lock.
struct CrashReport {
  [[noreturn]] static void end(const char* cause) noexcept {
    const CrashNote& note = *t_note;
    put(note.head_.data(), note.head_.size());
    put(" (");
    put(cause);
    put(")");
    put(note.tail_.data(), note.tail_.size());
    ::_exit(note.exit_code_);
  }

  static void on_signal(int signal, siginfo_t*, void*) noexcept {
    if (t_note != nullptr) end(signal_name(signal));
    for (std::size_t i = 0; i < std::size(kSignals); ++i)
      if (kSignals[i] == signal) ::sigaction(signal, &g_before[i], nullptr);
    ::raise(signal);  // delivered on return, with what was installed before
  }

  [[noreturn]] static void on_terminate() noexcept {
    if (t_note == nullptr) std::abort();
    if (const std::exception_ptr current = std::current_exception()) {
      try {
        std::rethrow_exception(current);
      } catch (const std::exception& error) {
        end(error.what());
      } catch (...) {
        end("an exception");
      }
    }
    end("std::terminate");
  }
};

CrashNote::CrashNote(const std::string& what, const std::string& during, const std::string& remedy,
                     int exit_code)
    : head_("error: " + what + " crashed"),
      tail_(" " + during + "; " + remedy + "\n"),
      exit_code_(exit_code),
      outer_(t_note) {
  t_note = this;
}

CrashNote::~CrashNote() {
  t_note = outer_;
}

void install_crash_handler() {
  static bool done = false;
  if (done) return;
  done = true;
  std::set_terminate(&CrashReport::on_terminate);
  struct sigaction action {};
  action.sa_sigaction = &CrashReport::on_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  ::sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < std::size(kSignals); ++i)
    ::sigaction(kSignals[i], &action, &g_before[i]);
}

}  // namespace vissl::host
