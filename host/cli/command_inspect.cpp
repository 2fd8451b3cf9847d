#include "host/cli/commands.hpp"
#include "host/cli/inspect.hpp"
#include "host/cli/session.hpp"
#include "host/files/locator_text.hpp"

namespace vissl::host {

std::string weights_path(const CommandContext& context) {
  const std::string& name = context.options.subject;
  std::error_code unreadable;
  if (std::filesystem::exists(name, unreadable) || scheme_word(name).name.empty()) return name;
  return Session(context).catalogue().locate(name).path;
}

int inspect_command(const CommandContext& context) {
  const std::string name = weights_path(context);
  const WeightsFile file = read_weights_file(name);
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
  std::error_code is_folder;
  const std::uint64_t size = std::filesystem::file_size(name, is_folder);
  if (!is_folder) options.file_bytes = size;
  print(inspect_text(name, file, context.out, options));
  return 0;
}

}  // namespace vissl::host
