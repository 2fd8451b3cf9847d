#include <filesystem>

#include "host/cli/commands.hpp"
#include "host/cli/executable.hpp"
#include "host/cli/new_plugin.hpp"

namespace fs = std::filesystem;

namespace vissl::host {
namespace {

// Where find_package finds the SDK, when this executable is an installed one.
std::string prefix_text() {
  const fs::path prefix = fs::path(executable_folder()).parent_path();
  std::error_code ignored;
  return fs::exists(prefix / "lib/cmake/VisslSdk", ignored)
             ? prefix.string()
             : "<where 'cmake --install' put vissl-host>";
}

}  // namespace

int new_plugin_command(const CommandContext& context) {
  const std::string& kind = context.options.subject;
  const std::string& name = context.options.name;
  const std::vector<NewFile> files = new_plugin_files(kind, name);
  const std::string folder = context.options.output.empty() ? name : context.options.output;
  write_new_files(folder, files);
  std::string text;
  for (const NewFile& file : files) text += (fs::path(folder) / file.name).string() + "\n";
  print(text);
  context.log.log(LogLevel::info, "build and test it: cmake -S " + folder + " -B " + folder +
                                      "/build -DCMAKE_PREFIX_PATH=" + prefix_text() +
                                      " && cmake --build " + folder +
                                      "/build && ctest --test-dir " + folder + "/build");
  return 0;
}

}  // namespace vissl::host
