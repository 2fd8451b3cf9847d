#include "host/plugin/crash_note.hpp"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <exception>

#include "host/files/mapped_file.hpp"

namespace vissl::host {
namespace {

thread_local const CrashNote* t_note = nullptr;
thread_local PluginCall t_call;
CrashPlace g_place{[]() noexcept -> PluginCall& { return t_call; }};

std::atomic<MappedName> g_mapped_elsewhere{nullptr};

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
void put(const std::string& text) noexcept {
  put(text.data(), text.size());
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
    put(note.head_);
    put(" (");
    put(cause);
    put(")");
    put(note.tail_);
    ::_exit(note.exit_code_);
  }

  // Once per crash: an abort after it finds nothing left to say.
  static void say(const char* cause) noexcept {
    const PluginCall call = t_call;
    t_call = {};
    if (call.instance == nullptr) return;
    put("error: plugin ");
    put(call.instance->plugin_id());
    put(" ");
    put(call.instance->plugin_version());
    put(" crashed (");
    put(cause);
    put(") in ");
    put(call.method);
    put(" of ");
    put(call.instance->kind());
    put(" '");
    put(call.instance->name());
    if (const std::int64_t iteration = g_place.iteration; iteration >= 0) {
      char digits[20];
      const auto end = std::to_chars(digits, digits + sizeof digits, iteration).ptr;
      put("' at iteration ");
      put(digits, static_cast<std::size_t>(end - digits));
    } else {
      put("'");
    }
    put("; report it to the plugin's author\n");
  }

  // What a mapping promised is gone, or the disk cannot give it.
  static void end_of_file(const void* address) noexcept {
    const char* name = MappedFile::name_at(address);
    const MappedName others = g_mapped_elsewhere;
    if (name == nullptr && others != nullptr) name = others(address);
    if (name == nullptr) return;
    put("error: ");
    put(name);
    put(": a part of it is gone or cannot be read; somebody writes it, which needs to end first, "
        "or the disk fails\n");
    ::_exit(static_cast<int>(Exit::bad_data));
  }

  static void on_signal(int signal, siginfo_t* info, void*) noexcept {
    if (signal == SIGBUS) end_of_file(info->si_addr);
    if (t_note != nullptr) end(signal_name(signal));
    say(signal_name(signal));
    for (std::size_t i = 0; i < std::size(kSignals); ++i)
      if (kSignals[i] == signal) ::sigaction(signal, &g_before[i], nullptr);
    ::raise(signal);  // delivered on return, with what was installed before
  }

  [[noreturn]] static void on_terminate() noexcept {
    const auto report = [](const char* cause) {
      if (t_note != nullptr) end(cause);
      say(cause);
      std::abort();
    };
    if (const std::exception_ptr current = std::current_exception()) {
      try {
        std::rethrow_exception(current);
      } catch (const std::exception& error) {
        report(error.what());
      } catch (...) {
        report("an exception");
      }
    }
    report("std::terminate");
    std::abort();
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

CrashPlace& crash_place() noexcept {
  return g_place;
}

void also_ask_for_mapped(MappedName names) noexcept {
  g_mapped_elsewhere = names;
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
