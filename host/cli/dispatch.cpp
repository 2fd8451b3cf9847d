#include <cerrno>
#include <cstring>
#include <vissl_build.hpp>

#include "host/cli/commands.hpp"

namespace vissl::host {

void print(const std::string& text) {
  errno = 0;
  const bool written =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (!written && errno != EPIPE)
    throw Error(Exit::run_failed, std::string("cannot write to stdout: ") + std::strerror(errno));
}

int dispatch(const CommandContext& context) {
  switch (context.options.command) {
    case Command::help:
      print(help_text(context.out, context.options.subject));
      return 0;
    case Command::version:
      print("vissl-host " VISSL_VERSION " (ABI " + std::to_string(VISSL_ABI_MAJOR) + "." +
            std::to_string(VISSL_ABI_MINOR) + ", build " VISSL_BUILD_ID ", g++ " __VERSION__ ")\n");
      return 0;
    case Command::list:
      return list_command(context);
    case Command::describe:
      return describe_command(context);
    case Command::check_plugin:
      return check_plugin_command(context);
    case Command::new_plugin:
      return new_plugin_command(context);
    case Command::completion:
      return completion_command(context);
    case Command::complete:
      return complete_command(context);
    case Command::show_config:
      return show_config_command(context);
    case Command::show_batch:
      return show_batch_command(context);
    case Command::show_model:
      return show_model_command(context);
    case Command::show_schedule:
      return show_schedule_command(context);
    case Command::show_keys:
      return show_keys_command(context);
    case Command::show_models:
      return show_models_command(context);
    case Command::bench_data:
      return bench_data_command(context);
    case Command::inspect:
      return inspect_command(context);
    case Command::convert:
      return convert_command(context);
    case Command::check:
      return check_command(context);
    case Command::run:
      break;
  }
  return run_command(context);
}

}  // namespace vissl::host
