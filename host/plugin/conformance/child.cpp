#include "host/plugin/conformance/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <optional>
#include <set>

#include "host/plugin/conformance/process_state.hpp"

namespace vissl::host {
namespace {

constexpr char kSeparator = '\x1f';
int g_report = -1;  // the child's end of the pipe
// What the preparation may take at least: libtorch comes from a cold disk once.
constexpr double kPrepareSeconds = 120;

// One message is one line: A (prepared) · B index · R index outcome text · S index check text
// X text · P text · D
void send(const std::vector<std::string>& fields) {
  std::string line;
  for (const std::string& field : fields) {
    if (!line.empty()) line += kSeparator;
    for (const char c : field) line += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  line += '\n';
  for (std::size_t sent = 0; sent < line.size();) {
    const ssize_t n = ::write(g_report, line.data() + sent, line.size() - sent);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) ::_exit(4);  // the parent is gone
    sent += static_cast<std::size_t>(n);
  }
}

[[noreturn]] void report_terminate() {
  std::string text = "std::terminate was called";
  if (const std::exception_ptr current = std::current_exception()) {
    try {
      std::rethrow_exception(current);
    } catch (const std::exception& error) {
      text = std::string("an exception left it: ") + error.what();
    } catch (...) {
      text = "an exception left it";
    }
  }
  send({"X", text});
  ::signal(SIGABRT, SIG_DFL);
  ::abort();
}

// What the plugin prints lands in memory.
class Output {
 public:
  explicit Output(int fd, const char* name)
      : memory_(::memfd_create(name, MFD_CLOEXEC)), name_(name) {
    if (memory_ >= 0) ::dup2(memory_, fd);
  }
  // Printed since the last call.
  std::string take() {
    std::string text;
    char buffer[512];
    for (ssize_t n; memory_ >= 0 && (n = ::pread(memory_, buffer, sizeof buffer, read_)) > 0;
         read_ += n)
      text.append(buffer, static_cast<std::size_t>(n));
    return text;
  }
  const char* name() const { return name_; }

 private:
  int memory_;
  const char* name_;
  off_t read_ = 0;
};

std::string shortened(std::string text) {
  constexpr std::size_t kShown = 60;
  text.erase(std::min(text.find('\n'), text.size()));
  if (text.size() > kShown) text = text.substr(0, kShown) + "…";
  return text;
}

// Whether the check cannot say anything because of one that failed; `verdicts` of those before it.
bool without_ground(const std::vector<ChildCheck>& checks, const std::vector<Finding>& verdicts,
                    std::size_t i) {
  for (std::size_t k = 0; k < i; ++k) {
    if (checks[i].needs.empty() || checks[k].check != checks[i].needs ||
        checks[k].component != checks[i].component)
      continue;
    const Verdict& ground = verdicts[k].verdict;
    return ground.outcome == Outcome::fail || ground.text.starts_with("needs '");
  }
  return false;
}

Verdict needs_text(const std::string& check) {
  return {Outcome::skipped, "needs '" + check + "', which failed"};
}

[[noreturn]] void run_child(const ChildLevel& level, std::vector<Finding> findings,
                            std::size_t first, std::size_t last) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  for (const int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) ::signal(signal, SIG_DFL);
  std::set_terminate(&report_terminate);
  const int nothing = ::open("/dev/null", O_RDONLY);
  if (nothing > STDERR_FILENO) ::dup2(nothing, STDIN_FILENO), ::close(nothing);
  Output out(STDOUT_FILENO, "stdout"), err(STDERR_FILENO, "stderr");
  try {
    if (level.prepare) level.prepare();
  } catch (const std::exception& error) {
    send({"P", error.what()});
    ::_exit(0);
  }
  send({"A"});
  ProcessState before = ProcessState::now();
  std::fflush(nullptr);
  out.take(), err.take();
  for (std::size_t i = first; i < last; ++i) {
    const std::string index = std::to_string(i);
    send({"B", index});
    Verdict& verdict = findings[i].verdict;
    try {
      verdict = without_ground(level.checks, findings, i) ? needs_text(level.checks[i].needs)
                                                          : level.checks[i].run();
    } catch (const std::exception& error) {
      verdict = {Outcome::fail, error.what()};
    } catch (...) {
      verdict = {Outcome::fail, "an exception left it"};
    }
    send({"R", index, std::to_string(static_cast<int>(verdict.outcome)), verdict.text});
    std::fflush(nullptr);
    for (Output* output : {&out, &err})
      if (const std::string text = output->take(); !text.empty())
        send({"S", index, "quiet",
              std::string("printed '") + shortened(text) + "' on " + output->name() +
                  "; the host prints, plugins log through it"});
    const ProcessState after = ProcessState::now();
    for (const StateChange& change : state_changes(before, after))
      send({"S", index, change.check, change.text});
    restore_state(before);
    before = ProcessState::now();
  }
  send({"D"});
  ::_exit(0);  // no destructors: the plugin's code stays as it is
}

struct ChildEnd {
  std::optional<std::size_t> guilty;  // the check that had begun when the child ended
  std::string reason;                 // empty = all were done
  std::size_t done = 0;               // the first check that did not begin
};

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields(1);
  for (const char c : line)
    if (c == kSeparator)
      fields.emplace_back();
    else
      fields.back() += c;
  return fields;
}

std::string death_text(int status, const std::string& terminated) {
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    const char* name = ::sigabbrev_np(signal);
    std::string text = "crashed (SIG" + std::string(name != nullptr ? name : "?");
    if (!terminated.empty()) text += "; " + terminated;
    return text +
           "); run it under a debugger: gdb -ex 'set follow-fork-mode child' --args "
           "vissl-host check-plugin FILE";
  }
  return "ended the process with exit code " + std::to_string(WEXITSTATUS(status)) +
         "; return a status and a text instead";
}

class Parent {
 public:
  Parent(const ChildLevel& level, std::vector<Finding>& findings, std::vector<StateChange>& changes)
      : level_(level), findings_(findings), changes_(changes) {}

  // Runs the checks [first, last) in one child.
  ChildEnd run(std::size_t first, std::size_t last) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) fail("pipe");
    const pid_t child = ::fork();
    if (child < 0) fail("fork");
    if (child == 0) {
      ::close(ends[0]);
      // Far from the numbers that a plugin may close by mistake.
      g_report = ::fcntl(ends[1], F_DUPFD_CLOEXEC, 300);
      if (g_report < 0) g_report = ends[1];
      // A scheme that downloads gives the same answer on every machine.
      ::setenv("VISSL_OFFLINE", "1", 1);
      run_child(level_, findings_, first, last);
    }
    ::close(ends[1]);
    ChildEnd end;
    end.done = first;
    std::string terminated;
    const bool in_time = listen(ends[0], end, terminated);
    ::close(ends[0]);
    if (!end.reason.empty() || !in_time) {
      ::kill(-child, SIGKILL);
      ::kill(child, SIGKILL);
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (!in_time)
      end.reason = "did not end within " + std::to_string(static_cast<int>(level_.limit_seconds)) +
                   " s; mend the endless loop, or allow more with --time-limit";
    else if (!finished_)
      end.reason = death_text(status, terminated);
    return end;
  }

 private:
  [[noreturn]] static void fail(const char* what) {
    throw Error(Exit::run_failed, std::string("check-plugin cannot start a process: ") + what +
                                      ": " + std::strerror(errno));
  }

  // Reads messages until the child ends; false when it says nothing for too long.
  bool listen(int fd, ChildEnd& end, std::string& terminated) {
    finished_ = false;
    std::string buffer;
    double limit = std::max(level_.limit_seconds, kPrepareSeconds);
    for (;;) {
      pollfd ready{fd, POLLIN, 0};
      const int n = ::poll(&ready, 1, static_cast<int>(limit * 1000));
      if (n < 0 && errno == EINTR) continue;
      if (n == 0) return false;
      char block[4096];
      const ssize_t size = ::read(fd, block, sizeof block);
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) return true;
      buffer.append(block, static_cast<std::size_t>(size));
      limit = level_.limit_seconds;
      for (std::size_t stop; (stop = buffer.find('\n')) != std::string::npos;
           buffer.erase(0, stop + 1))
        message(fields_of(buffer.substr(0, stop)), end, terminated);
      if (finished_) return true;
    }
  }

  void message(const std::vector<std::string>& fields, ChildEnd& end, std::string& terminated) {
    if (fields[0] == "D") finished_ = true;
    if (fields[0] == "P" && fields.size() == 2) throw Error(Exit::run_failed, fields[1]);
    if (fields[0] == "X" && fields.size() == 2) terminated = fields[1];
    if (fields[0] == "B") end.guilty = std::stoul(fields[1]), end.done = *end.guilty + 1;
    if (fields[0] == "R" && fields.size() == 4) {
      findings_[std::stoul(fields[1])].verdict = {static_cast<Outcome>(std::stoi(fields[2])),
                                                  fields[3]};
      end.guilty.reset();
    }
    if (fields[0] == "S" && fields.size() == 4) {
      const ChildCheck& during = level_.checks[std::stoul(fields[1])];
      const std::string place = " (during " + during.check +
                                (during.component.empty() ? "" : " of " + during.component) + ")";
      for (const StateChange& known : changes_)
        if (known.check == fields[2]) return;  // said once
      changes_.push_back({fields[2], fields[3] + place});
    }
  }

  const ChildLevel& level_;
  std::vector<Finding>& findings_;
  std::vector<StateChange>& changes_;
  bool finished_ = false;
};

}  // namespace

std::vector<Finding> run_in_children(const ChildLevel& level) {
  std::vector<Finding> findings;
  for (const ChildCheck& check : level.checks)
    findings.push_back({level.level, check.component, check.check, {Outcome::skipped, ""}});
  std::vector<StateChange> changes;
  Parent parent(level, findings, changes);
  const std::size_t count = findings.size();
  bool alone = false;
  for (std::size_t next = 0; next < count;) {
    if (alone && without_ground(level.checks, findings, next)) {
      findings[next].verdict = needs_text(level.checks[next].needs);
      ++next;
      continue;
    }
    const ChildEnd end = parent.run(next, alone ? next + 1 : count);
    if (end.reason.empty()) {
      next = alone ? next + 1 : count;
      continue;
    }
    // Died between two checks: the one before it is to blame.
    const std::size_t guilty = end.guilty ? *end.guilty : std::max(end.done, next + 1) - 1;
    const bool replayed = alone || !level.replay;
    if (!replayed && end.guilty) {
      alone = true;
      const ChildEnd again = parent.run(guilty, guilty + 1);
      findings[guilty].verdict = {
          Outcome::fail,
          !again.reason.empty() ? again.reason : end.reason + " (only after the checks before it)"};
    } else {
      findings[guilty].verdict = {Outcome::fail, end.reason};
      alone = true;
    }
    next = guilty + 1;
    if (!level.replay) {
      for (; next < count; ++next) findings[next].verdict = needs_text(findings[guilty].check);
    }
  }
  if (level.name_state_checks) {
    for (const std::string& name : state_check_names()) {
      Verdict verdict;
      for (const StateChange& change : changes)
        if (change.check == name) verdict = {Outcome::fail, change.text};
      findings.push_back({level.level, "", name, verdict});
    }
  } else {
    for (const StateChange& change : changes)
      findings.push_back({level.level, "", change.check, {Outcome::fail, change.text}});
    if (changes.empty() && count != 0) findings.push_back({level.level, "", "process", {}});
  }
  return findings;
}

}  // namespace vissl::host
