#include "process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>

extern char** environ;

namespace vissl::test {

namespace {

struct Pipe {
  int read = -1, write = -1;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe failed");
    read = ends[0];
    write = ends[1];
    ::fcntl(read, F_SETFL, O_NONBLOCK);
  }
  ~Pipe() {
    close_write();
    ::close(read);
  }
  void close_write() {
    if (write >= 0) ::close(write);
    write = -1;
  }
  void drain(std::string& into) const {
    char buffer[65536];
    for (ssize_t n; (n = ::read(read, buffer, sizeof buffer)) > 0;)
      into.append(buffer, static_cast<std::size_t>(n));
  }
};

}  // namespace

Result run_host(const std::vector<std::string>& arguments,
                const std::function<bool(pid_t)>& while_running, std::chrono::seconds limit) {
  std::string program = VISSL_HOST;
  std::vector<char*> argv{program.data()};
  std::vector<std::string> copies = arguments;
  for (std::string& a : copies) argv.push_back(a.data());
  argv.push_back(nullptr);

  Pipe out, err;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out.write, 1);
  posix_spawn_file_actions_adddup2(&actions, err.write, 2);
  const auto started = std::chrono::steady_clock::now();
  pid_t pid = 0;
  const int failed = ::posix_spawn(&pid, program.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw std::runtime_error(program + ": " + std::strerror(failed));
  out.close_write();
  err.close_write();

  Result result;
  bool watching = static_cast<bool>(while_running);
  for (int status = 0;;) {
    pollfd ends[] = {{out.read, POLLIN, 0}, {err.read, POLLIN, 0}};
    ::poll(ends, 2, 1);
    out.drain(result.out);
    err.drain(result.err);
    rusage usage{};
    if (::wait4(pid, &status, WNOHANG, &usage) == pid) {
      result.peak_bytes = std::int64_t{usage.ru_maxrss} * 1024;
      out.drain(result.out);
      err.drain(result.err);
      if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
      if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
      break;
    }
    if (watching && while_running(pid)) watching = false;
    if (std::chrono::steady_clock::now() - started > limit) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, &status, 0);
      throw std::runtime_error(
          "vissl-host took too long; its log ends with:\n" +
          result.err.substr(result.err.size() > 2000 ? result.err.size() - 2000 : 0));
    }
  }
  result.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  return result;
}

std::vector<std::string> run_arguments(const std::filesystem::path& config,
                                       const std::vector<std::string>& overrides) {
  std::vector<std::string> arguments{"--plugins", VISSL_PLUGIN_DIR,
                                     "--plugins", VISSL_TEST_PLUGIN_DIR "/run",
                                     "--config",  config.string()};
  arguments.insert(arguments.end(), overrides.begin(), overrides.end());
  return arguments;
}

}  // namespace vissl::test
