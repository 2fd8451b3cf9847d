#pragma once
// Level "load" of check-plugin: the file is opened and started in a child, and nothing else is
// called.
#include <functional>
#include <vector>

#include "host/plugin/conformance/finding.hpp"
#include "host/plugin/metadata.hpp"

namespace vissl::host {

struct LoadRequest {
  const PluginFile& file;
  // In the child, before the file is opened: the services of the process, with the runtime when
  // the plugin needs libtorch. Lives until the child ends.
  std::function<const vissl_host*()> host;
  double limit_seconds;
};

std::vector<Finding> load_checks(const LoadRequest& request);

}  // namespace vissl::host
