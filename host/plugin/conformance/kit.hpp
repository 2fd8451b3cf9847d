#pragma once
// The conformance kit behind check-plugin.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "host/plugin/catalogue.hpp"
#include "host/plugin/conformance/finding.hpp"
#include "host/plugin/services.hpp"

namespace vissl::host {

struct KitSettings {
  std::vector<std::string> places;  // plugin folders, for components inside of components
  std::vector<std::string> given;   // "KIND/NAME.PARAMETER=VALUE", for required parameters
  double limit_seconds = 20;        // for one check
  HostServices::Libtorch libtorch;  // the host's; without it no fingerprint is judged
  // Opens the runtime in a child; called at most once per process, and only where tensors are
  // needed.
  std::function<Runtime&(HostServices& services, Catalogue& catalogue)> open_runtime;
};

// All checks of one plugin file. Throws Error only when a process cannot be started. [main, while
// the process has one thread]
PluginReport check_plugin(const std::string& path, const KitSettings& settings);

}  // namespace vissl::host
