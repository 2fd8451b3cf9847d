#include "host/plugin/loaded_plugin.hpp"

#include <dlfcn.h>

#include <boost/dll/shared_library.hpp>
#include <cstddef>
#include <cstring>
#include <exception>
#include <memory>
#include <vector>

#include "host/boundary.hpp"
#include "host/plugin/crash_note.hpp"
#include "host/plugin/kinds.hpp"

namespace vissl::host {
namespace {

[[noreturn]] void refuse(const std::string& path, const std::string& text) {
  throw Error(Exit::bad_plugin, "plugin '" + path + "' " + text);
}

// dlopen's own sentence out of Boost's "… failed (dlerror system message: /path/x.so: TEXT): Bad
// file descriptor".
std::string loader_text(const std::string& path, std::string text) {
  constexpr std::string_view kBefore = "dlerror system message: ";
  const std::size_t start = text.find(kBefore);
  const std::size_t end = text.rfind(')');
  if (start == std::string::npos || end == std::string::npos || end < start) return text;
  text = text.substr(start + kBefore.size(), end - start - kBefore.size());
  if (text.starts_with(path + ": ")) text.erase(0, path.size() + 2);
  return text;
}

// The object goes into a list that is never destroyed, so the file stays open as well as mapped. An
// exception of a static constructor ends the process here, with the note that the caller has set,
// because it may not travel through the loader.
boost::dll::shared_library* open_file(const std::string& path, std::string& reason) noexcept {
  const auto mode = static_cast<boost::dll::load_mode::type>(RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  try {
    static auto* const opened = new std::vector<std::unique_ptr<boost::dll::shared_library>>();
    return opened
        ->emplace_back(
            std::make_unique<boost::dll::shared_library>(boost::dll::fs::path(path), mode))
        .get();
  } catch (const boost::dll::fs::system_error& error) {
    reason = loader_text(path, error.what());
    return nullptr;
  } catch (...) {
    // Where GCC inlines a noexcept function, the handler of std::terminate sees no exception.
    std::terminate();
  }
}

const vissl_plugin* handshake(const std::string& path) {
  std::string reason;
  boost::dll::shared_library* library = open_file(path, reason);
  if (library == nullptr)
    refuse(path, "cannot be loaded: " + reason +
                     "; build it against this SDK, or install the library it misses");
  if (!library->has(VISSL_ENTRY_SYMBOL))
    refuse(path, std::string("exports no function ") + VISSL_ENTRY_SYMBOL +
                     "; build it with the SDK's VISSL_PLUGIN and its version script");
  const auto entry =
      reinterpret_cast<vissl_plugin_entry_fn>(dlsym(library->native(), VISSL_ENTRY_SYMBOL));
  const vissl_plugin* plugin = entry();
  const std::string report = "; report it to the plugin's author";
  if (plugin == nullptr)
    refuse(path, "returns no descriptor from " + std::string(VISSL_ENTRY_SYMBOL) + report);
  if (plugin->size < offsetof(vissl_plugin, components_end) + sizeof(plugin->components_end))
    refuse(path, "has a descriptor of " + std::to_string(plugin->size) +
                     " bytes, shorter than ABI 1.0 demands" + report);
  if (plugin->abi_major != VISSL_ABI_MAJOR)
    refuse(path, "is built for ABI " + std::to_string(plugin->abi_major) + "." +
                     std::to_string(plugin->abi_minor) + ", and this host speaks ABI " +
                     std::to_string(VISSL_ABI_MAJOR) + "." + std::to_string(VISSL_ABI_MINOR) +
                     "; get a build of the plugin for ABI " + std::to_string(VISSL_ABI_MAJOR));
  if (plugin->id == nullptr || plugin->version == nullptr)
    refuse(path, "has a descriptor without id or version" + report);
  return plugin;
}

}  // namespace

LoadedPlugin::LoadedPlugin(const PluginFile& file, const vissl_host* host) : path_(file.path) {
  if (!file.problem.empty()) refuse(path_, file.problem);
  const CrashNote note("plugin '" + path_ + "'", "while it was loaded",
                       "get a mended build of it, or remove what uses it from the config",
                       static_cast<int>(Exit::bad_plugin));
  plugin_ = handshake(path_);
  if (plugin_->init == nullptr) return;
  ErrorSink sink;
  vissl_status status = VISSL_OK;
  try {
    status = plugin_->init(host, sink.get());
  } catch (const std::exception& error) {
    refuse(path_, "throws out of its init: " + std::string(error.what()) +
                      "; report it to the plugin's author");
  } catch (...) {
    refuse(path_, "throws out of its init; report it to the plugin's author");
  }
  if (status != VISSL_OK)
    refuse(path_, "does not start: " +
                      (sink.text().empty() ? "its init failed without a text" : sink.text()));
}

const vissl_component& LoadedPlugin::component(std::string_view kind, std::string_view name) const {
  const std::string subject = std::string(kind) + " '" + std::string(name) + "'";
  for (const vissl_component* const* it = plugin_->components; it != plugin_->components_end;
       ++it) {
    const vissl_component* candidate = *it;
    if (candidate == nullptr || candidate->meta == nullptr) continue;
    const std::string_view meta = candidate->meta;
    const std::string start = std::string(kind) + "/" + std::string(name) + "/";
    if (!meta.starts_with(start)) continue;
    if (candidate->size < offsetof(vissl_component, declare) || candidate->table == nullptr)
      refuse(path_,
             "has a damaged descriptor of " + subject + "; report it to the plugin's author");
    const Kind* known = find_kind(kind);
    if (known == nullptr)
      refuse(path_, "offers " + subject + ", but this host knows no such kind; update the host");
    const std::string_view id = candidate->interface_id != nullptr ? candidate->interface_id : "";
    if (id != known->interface_id)
      refuse(path_, "offers " + subject + " with interface '" + std::string(id) +
                        "', and this host knows '" + std::string(known->interface_id) +
                        "'; build the plugin against this host's SDK");
    std::uint64_t table_size = 0;
    std::memcpy(&table_size, candidate->table, sizeof(table_size));
    if (table_size < known->least_size)
      refuse(path_, "offers " + subject + " with a class table of " + std::to_string(table_size) +
                        " bytes, " + std::to_string(known->least_size) +
                        " are needed; build the plugin against this host's SDK");
    return *candidate;
  }
  refuse(path_, "lists " + subject + " in its metadata but does not have it; build it again");
}

}  // namespace vissl::host
