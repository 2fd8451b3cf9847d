#include "host/cli/spawn.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>

namespace vissl::host {
namespace {

using Clock = std::chrono::steady_clock;
// For the others, once a rank has failed: they have to find out which one. When rank 0 has ended,
// which speaks for all, or a rank by the loss of another one, the rest follows at once.
constexpr std::chrono::seconds kGrace{20}, kShortGrace{3};
constexpr int kForwarded[] = {SIGTERM, SIGINT, SIGUSR1, SIGUSR2};

[[noreturn]] void fail(const std::string& what) {
  throw Error(Exit::run_failed, what + ": " + std::strerror(errno));
}

// A socket that listens on a free port of the loopback interface. Rank 0 takes it over, so that
// nobody else can get the port in between.
struct Listener {
  int socket = -1;
  int port = 0;

  Listener() {
    socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket < 0) fail("cannot make a socket for the ranks");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(socket, generic, size) != 0 || ::listen(socket, SOMAXCONN) != 0 ||
        ::getsockname(socket, generic, &size) != 0)
      fail("cannot listen on 127.0.0.1 for the ranks");
    port = ntohs(address.sin_port);
  }
  ~Listener() { ::close(socket); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
};

struct Child {
  pid_t pid = 0;
  bool running = true;
  int code = 0;          // of a normal end
  int signal = 0;        // that ended it
  bool cut_off = false;  // by the launcher, because another rank failed
  Clock::time_point ended{};
};

// Between fork and exec only calls that are safe there; everything else is made before.
pid_t start(int rank, int world, const std::vector<std::string>& arguments,
            const Listener& listener, const sigset_t& mask) {
  const auto set = [](const char* name, const std::string& value) {
    ::setenv(name, value.c_str(), 1);
  };
  set("RANK", std::to_string(rank));
  set("LOCAL_RANK", std::to_string(rank));
  set("WORLD_SIZE", std::to_string(world));
  set("LOCAL_WORLD_SIZE", std::to_string(world));
  set("MASTER_ADDR", "127.0.0.1");
  set("MASTER_PORT", std::to_string(listener.port));
  set("VISSL_RENDEZVOUS_FD", std::to_string(listener.socket));
  std::vector<std::string> copies = arguments;
  std::vector<char*> argv;
  for (std::string& argument : copies) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) fail("cannot start rank " + std::to_string(rank));
  if (pid > 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // no rank outlives the launcher
  if (::getppid() != parent) ::_exit(static_cast<int>(Exit::distributed));
  ::setpgid(0, 0);  // a terminal's Ctrl-C reaches the launcher alone, which passes it on once
  ::sigprocmask(SIG_SETMASK, &mask, nullptr);
  if (rank == 0) ::fcntl(listener.socket, F_SETFD, 0);
  ::execv("/proc/self/exe", argv.data());
  ::_exit(static_cast<int>(Exit::distributed));
}

// Collects children that have ended; returns how many still run.
std::size_t reap(std::vector<Child>& children) {
  for (Child& child : children) {
    int status = 0;
    if (!child.running || ::waitpid(child.pid, &status, WNOHANG) != child.pid) continue;
    child.running = false;
    child.ended = Clock::now();
    if (WIFEXITED(status)) child.code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) child.signal = WTERMSIG(status);
  }
  return static_cast<std::size_t>(std::ranges::count(children, true, &Child::running));
}

bool failed(const Child& child) {
  return !child.running &&
         (child.signal != 0 || (child.code != 0 && child.code != static_cast<int>(Exit::saved)));
}

int code_of(const Child& child) {
  return child.signal != 0 ? static_cast<int>(Exit::distributed) : child.code;
}

// Until when the others may run, if a rank has failed.
std::optional<Clock::time_point> last_moment(const std::vector<Child>& children) {
  std::optional<Clock::time_point> moment;
  for (const Child& child : children) {
    if (!failed(child)) continue;
    const bool found = child.code == static_cast<int>(Exit::distributed) ||
                       (&child == &children.front() && child.signal == 0);
    const Clock::time_point own = child.ended + (found ? kShortGrace : kGrace);
    moment = std::min(moment.value_or(own), own);
  }
  return moment;
}

void signal_all(const std::vector<Child>& children, int signal) {
  for (const Child& child : children)
    if (child.running) ::kill(child.pid, signal);
}

// Ranks that end by a signal cannot speak for themselves; the others name them if they can.
void report_signals(const std::vector<Child>& children, Logger& log) {
  if (std::ranges::any_of(children, [](const Child& c) { return failed(c) && c.signal == 0; }))
    return;
  for (std::size_t rank = 0; rank < children.size(); ++rank) {
    const int signal = children[rank].signal;
    if (signal == 0 || children[rank].cut_off) continue;
    log.log(LogLevel::error, "rank " + std::to_string(rank) + " was ended by signal " +
                                 std::to_string(signal) + " (" + ::strsignal(signal) + ")" +
                                 (signal == SIGKILL ? "; was the memory used up?" : ""));
  }
}

}  // namespace

std::vector<std::string> without_nproc(const std::vector<std::string>& arguments) {
  std::vector<std::string> kept;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--nproc")
      ++i;
    else if (!arguments[i].starts_with("--nproc="))
      kept.push_back(arguments[i]);
  }
  return kept;
}

int joint_exit_code(const std::vector<int>& codes) {
  int joint = 0;
  const auto weight = [](int code) {
    if (code == static_cast<int>(Exit::distributed)) return 1000;
    if (code == static_cast<int>(Exit::saved)) return 1;
    return code == 0 ? 0 : 1 + code;
  };
  for (const int code : codes)
    if (weight(code) > weight(joint)) joint = code;
  return joint;
}

int spawn_ranks(int count, const std::vector<std::string>& arguments, Logger& log) {
  sigset_t waited, before;
  ::sigemptyset(&waited);
  ::sigaddset(&waited, SIGCHLD);
  for (const int signal : kForwarded) ::sigaddset(&waited, signal);
  ::sigprocmask(SIG_BLOCK, &waited, &before);

  const std::vector<std::string> own = without_nproc(arguments);
  std::vector<Child> children;
  {
    const Listener listener;
    for (int rank = 0; rank < count; ++rank)
      children.push_back({start(rank, count, own, listener, before)});
  }
  while (reap(children) > 0) {
    const std::optional<Clock::time_point> last = last_moment(children);
    if (last && Clock::now() > *last) {
      for (Child& child : children) child.cut_off = child.cut_off || child.running;
      signal_all(children, SIGKILL);
    }
    const timespec interval{0, 200'000'000};
    const int signal = ::sigtimedwait(&waited, nullptr, &interval);
    if (std::ranges::find(kForwarded, signal) != std::end(kForwarded)) signal_all(children, signal);
  }
  report_signals(children, log);
  std::vector<int> codes;
  for (const Child& child : children)
    if (!child.cut_off) codes.push_back(code_of(child));
  return joint_exit_code(codes);
}

}  // namespace vissl::host
