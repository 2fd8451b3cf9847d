#pragma once
// What a command works with: the plugins, and the config that it was given.
#include <memory>
#include <string>

#include "host/boundary.hpp"
#include "host/cli/options.hpp"
#include "host/config/resolve.hpp"
#include "host/plugin/catalogue.hpp"
#include "host/plugin/services.hpp"

namespace vissl::host {

// What every command gets.
struct CommandContext {
  const Options& options;
  const std::vector<std::string>& arguments;  // of the process, for the record of a run
  const Terminal& out;                        // stdout
  ConsoleLogger& log;
};

class Session {
 public:
  // Finds the plugins of --plugins, VISSL_PLUGIN_PATH or the built-in folder. Loads none.
  explicit Session(const CommandContext& context);

  PluginCatalogue& catalogue() { return *catalogue_; }
  HostServices& services() { return services_; }
  // The resolved config; the first call reads and checks it, and logs replaced components and
  // deprecated keys.
  const Value& config();

 private:
  const CommandContext& context_;
  HostServices services_;
  std::unique_ptr<PluginCatalogue> catalogue_;
  ResolvedConfig config_;
};

}  // namespace vissl::host
