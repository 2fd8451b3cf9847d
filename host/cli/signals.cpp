#include "host/cli/signals.hpp"

#include <signal.h>
#include <unistd.h>

#include <atomic>

#include "host/files/error.hpp"

namespace vissl::host {
namespace {

std::atomic<int> g_pending{0};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may take no lock");

void on_signal(int signal) {
  const int before = g_pending.exchange(signal, std::memory_order_relaxed);
  if (signal == SIGINT && before == SIGINT) {
    constexpr char kText[] = "\nstopped now; what came after the last checkpoint is lost\n";
    static_cast<void>(!::write(STDERR_FILENO, kText, sizeof(kText) - 1));
    ::_exit(static_cast<int>(Exit::interrupted));
  }
  // A SIGINT must still count as the first of two after another signal came in between.
  if (before == SIGINT) g_pending.store(SIGINT, std::memory_order_relaxed);
}

}  // namespace

void catch_stop_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  for (const int signal : {SIGTERM, SIGUSR1, SIGUSR2, SIGINT}) ::sigaddset(&action.sa_mask, signal);
  for (const int signal : {SIGTERM, SIGUSR1, SIGUSR2, SIGINT})
    ::sigaction(signal, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

int pending_stop_signal() {
  return g_pending.load(std::memory_order_relaxed);
}

int exit_code_without_save(int signal) {
  return static_cast<int>(signal == SIGINT ? Exit::interrupted : Exit::terminated);
}

}  // namespace vissl::host
