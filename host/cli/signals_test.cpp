#include "host/cli/signals.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <initializer_list>

using namespace vissl::host;

namespace {

// Raises the signals in a child that catches them; its exit code, or 100 + what is pending in the
// end.
int after(std::initializer_list<int> signals) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(STDERR_FILENO);
    catch_stop_signals();
    for (const int signal : signals) ::raise(signal);
    ::_exit(100 + pending_stop_signal());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace

TEST_CASE("signals: TERM, USR1, USR2 and one INT ask to save and stop") {
  CHECK(after({}) == 100);
  for (const int signal : {SIGTERM, SIGUSR1, SIGUSR2, SIGINT})
    CHECK(after({signal}) == 100 + signal);
  CHECK(after({SIGTERM, SIGTERM, SIGUSR1}) == 100 + SIGUSR1);
}

TEST_CASE("signals: a second INT stops now with 130, whatever came in between") {
  CHECK(after({SIGINT, SIGINT}) == 130);
  CHECK(after({SIGTERM, SIGINT}) == 100 + SIGINT);
  CHECK(after({SIGINT, SIGTERM, SIGINT}) == 130);
}

TEST_CASE("signals: CONT and PIPE change nothing") {
  CHECK(after({SIGCONT, SIGPIPE}) == 100);
}

TEST_CASE("signals: without a save the exit code names the signal") {
  CHECK(exit_code_without_save(SIGINT) == 130);
  CHECK(exit_code_without_save(SIGTERM) == 143);
}
