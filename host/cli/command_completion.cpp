#include "host/cli/commands.hpp"
#include "host/cli/complete.hpp"
#include "host/cli/embedded.hpp"

namespace vissl::host {

int completion_command(const CommandContext& context) {
  const std::string name = "completion/vissl-host." + context.options.subject;
  for (const EmbeddedFile& file : embedded_files()) {
    if (file.name != name) continue;
    print(std::string(file.text));
    return 0;
  }
  throw Error(Exit::usage, "there is no completion for the shell '" + context.options.subject +
                               "'; it can be bash, zsh or fish");
}

// One line per word, "word<tab>description", then ":files" and ":nospace" where they hold.
int complete_command(const CommandContext& context) {
  const Completions found = complete(context.options.settings, context);
  std::string text;
  for (const Completion& word : found.words) text += word.text + "\t" + word.doc + "\n";
  if (found.files) text += ":files\n";
  if (found.no_space) text += ":nospace\n";
  print(text);
  return 0;
}

}  // namespace vissl::host
