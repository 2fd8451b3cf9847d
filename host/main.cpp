// vissl-host: parses the command line, runs one command, and says by the exit code how it went.
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include "host/cli/commands.hpp"
#include "host/plugin/crash_note.hpp"

namespace {

using namespace vissl::host;

int run(const std::vector<std::string>& arguments) {
  // Until the options are known, errors look as on a plain terminal.
  const Terminal::Facts err_facts = Terminal::facts(STDERR_FILENO);
  Options options;
  try {
    options = parse_options({arguments.begin() + 1, arguments.end()});
    if (options.command == Command::run) become_rank(options, std::getenv);
  } catch (const Error& error) {
    ConsoleLogger(Terminal(err_facts, ColorMode::automatic), {}).log(LogLevel::error, error.what());
    return static_cast<int>(error.code());
  }
  const Terminal out(Terminal::facts(STDOUT_FILENO), options.color);
  ConsoleLogger log(Terminal(err_facts, options.color), options.log);
  try {
    return dispatch({options, arguments, out, log});
  } catch (const Error& error) {
    log.progress_done();
    log.log(LogLevel::error, error.what());
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    log.progress_done();
    log.log(LogLevel::error, std::string("unexpected: ") + error.what() +
                                 "; please report it with the command line");
    return static_cast<int>(Exit::run_failed);
  }
}

}  // namespace

int main(int argc, char** argv) {
  install_crash_handler();
  return run(std::vector<std::string>(argv, argv + argc));
}
