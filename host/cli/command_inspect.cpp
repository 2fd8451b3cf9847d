#include <filesystem>

#include "host/cli/commands.hpp"
#include "host/cli/inspect.hpp"
#include "host/cli/weights_input.hpp"

namespace vissl::host {

int inspect_command(const CommandContext& context) {
  if (context.options.json && context.options.most >= 0)
    throw Error(Exit::usage, "--max shortens the text; --json lists every tensor, leave one out");
  WeightsInput input(context);
  const std::string& name = input.path();
  const WeightsFile file = input.read(/*verify=*/context.options.sha256);
  if (context.options.json) {
    for (const std::string& warning : file.warnings) {
      context.log.log(LogLevel::warning, name + ": " + warning);
    }
    print(inspect_json(file, context.options.sha256));
    return 0;
  }
  InspectOptions options;
  options.with_sha256 = context.options.sha256;
  if (context.options.most >= 0) options.most = context.options.most;
  // A list of other files says nothing about their size.
  const bool is_list = file.format.ends_with("_index") || file.format.ends_with("_list");
  std::error_code is_folder;
  const std::uint64_t size = std::filesystem::file_size(name, is_folder);
  if (!is_folder && !is_list) options.file_bytes = size;
  print(inspect_text(name, file, context.out, options));
  return 0;
}

}  // namespace vissl::host
