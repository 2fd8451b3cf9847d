#include "host/plugin/services.hpp"

#include <vissl/params.h>
#include <vissl/value.h>

#include <type_traits>

#include "host/config/value.hpp"
#include "host/files/error.hpp"
#include "host/plugin/declare.hpp"

namespace vissl::host {

HostServices::HostServices()
    : host_{{sizeof(vissl_host), VISSL_ABI_MAJOR, VISSL_ABI_MINOR, &HostServices::get_service},
            this} {
  static_assert(std::is_standard_layout_v<Base>);
  offer(VISSL_VALUE_ID, &value_api());
  offer(VISSL_PARAMS_ID, &params_api());
}

void HostServices::offer(const std::string& id, const void* table) {
  tables_[id] = table;
}

void HostServices::forward_to(std::function<const void*(std::string_view id)> runtime) {
  runtime_ = std::move(runtime);
}

std::string HostServices::misfit(const PluginFile& file) const {
  if (file.native.empty() || !libtorch_.fingerprint) return "";
  const std::string own = libtorch_.fingerprint();
  if (file.native == own) return "";
  return "is compiled for '" + file.native + "', and this host runs '" + own +
         "'; build the plugin against the host's libtorch";
}

void HostServices::prepare_for(const PluginFile& file) const {
  if (!file.needs_libtorch && file.native.empty()) return;
  if (!libtorch_.open) return;  // the loader says what is missing
  if (const std::string wrong = misfit(file); !wrong.empty())
    throw Error(Exit::bad_plugin, "plugin '" + file.path + "' " + wrong);
  libtorch_.open();
}

const void* HostServices::get_service(const vissl_host* host, vissl_str id) noexcept {
  if (host == nullptr || id.data == nullptr) return nullptr;
  const HostServices& self = *reinterpret_cast<const Base*>(host)->owner;
  const std::string_view name(id.data, static_cast<std::size_t>(id.size));
  const auto found = self.tables_.find(name);
  if (found != self.tables_.end()) return found->second;
  return self.runtime_ ? self.runtime_(name) : nullptr;
}

}  // namespace vissl::host
