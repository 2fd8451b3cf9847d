#pragma once
#include <vissl/abi.h>

#include <string>
#include <string_view>

#include "host/plugin/metadata.hpp"

namespace vissl::host {

// A plugin in this process. It is never unloaded: instances, autograd contexts and thread-locals
// may outlive every owner.
class LoadedPlugin {
 public:
  // Opens the file, checks the handshake and calls the plugin's `init`. Throws
  // Error(Exit::bad_plugin) with the file and the remedy. [main]
  LoadedPlugin(const PluginFile& file, const vissl_host* host);

  // The descriptor of a component. Throws Error(Exit::bad_plugin) when the loaded code does not
  // have what its metadata lists.
  const vissl_component& component(std::string_view kind, std::string_view name) const;

 private:
  std::string path_;
  const vissl_plugin* plugin_;
};

}  // namespace vissl::host
