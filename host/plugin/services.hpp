#pragma once
// What the host offers to plugins: the object behind vissl_host*.
#include <vissl/abi.h>

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "host/plugin/metadata.hpp"

namespace vissl::host {

class HostServices {
 public:
  HostServices();  // offers "vissl.value/1" and "vissl.params/1"
  HostServices(const HostServices&) = delete;
  HostServices& operator=(const HostServices&) = delete;

  // Adds a table with static lifetime under its id. [main, before a plugin asks for it]
  void offer(const std::string& id, const void* table);
  // Asked for every id that is not offered here: tensors, stores, runs. Set once the runtime is
  // there. [main]
  void forward_to(std::function<const void*(std::string_view id)> runtime);

  // How libtorch is opened for plugins that use it themselves: `fingerprint` says which one it is
  // (VISSL_NATIVE_SECTION) without opening it; `open` opens it, any number of times. Both throw
  // Error when there is none. [main]
  struct Libtorch {
    std::function<std::string()> fingerprint;
    std::function<void()> open;
  };
  void offer_libtorch(Libtorch libtorch) { libtorch_ = std::move(libtorch); }
  // What is wrong with the libtorch that `file` was compiled for, completing "plugin 'FILE' …";
  // empty = it is the host's, or it does not matter, or none is offered.
  std::string misfit(const PluginFile& file) const;
  // What `file` needs before it is opened. Throws Error(Exit::bad_plugin) for a plugin that was
  // compiled for another libtorch. Does nothing when none is offered.
  void prepare_for(const PluginFile& file) const;

  const vissl_host* get() const noexcept { return &host_.base; }

 private:
  static const void* get_service(const vissl_host* host, vissl_str id) noexcept;

  struct Base {
    vissl_host base;  // first, so that a vissl_host* leads back to the owner
    HostServices* owner;
  };
  Base host_;
  std::map<std::string, const void*, std::less<>> tables_;
  std::function<const void*(std::string_view)> runtime_;
  Libtorch libtorch_;
};

}  // namespace vissl::host
