#include "host/plugin/conformance/load_checks.hpp"

#include <dlfcn.h>
#include <vissl/abi.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "host/plugin/conformance/child.hpp"
#include "host/plugin/kinds.hpp"

namespace vissl::host {
namespace {

constexpr Outcome kWarn = Outcome::warn, kFail = Outcome::fail;
constexpr double kQuick = 0.1;  // seconds: `list` and `describe` wait for it

// The plugin in the child; each step needs the one before it.
struct Opened {
  const vissl_host* host = nullptr;
  void* library = nullptr;
  vissl_plugin_entry_fn entry = nullptr;
  const vissl_plugin* plugin = nullptr;
};

std::string seconds_text(double seconds) {
  return std::to_string(static_cast<int>(seconds * 1000.0)) + " ms";
}

template <class Body>
double seconds_of(Body&& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Verdict open_file(const PluginFile& file, Opened& opened) {
  const double seconds = seconds_of(
      [&] { opened.library = ::dlopen(file.path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE); });
  if (opened.library == nullptr) {
    const char* error = ::dlerror();
    std::string reason = error != nullptr ? error : "unknown";
    if (reason.starts_with(file.path + ": ")) reason.erase(0, file.path.size() + 2);
    return {kFail, "cannot be loaded: " + reason +
                       "; link it with -Wl,--no-undefined, or install the library it misses"};
  }
  if (seconds > kQuick)
    return {kWarn, "takes " + seconds_text(seconds) +
                       " to be opened; move the work of static constructors into create"};
  return {};
}

Verdict check_entry(const PluginFile& file, Opened& opened) {
  if (opened.library == nullptr) return {Outcome::skipped, "the file was not opened"};
  opened.entry =
      reinterpret_cast<vissl_plugin_entry_fn>(::dlsym(opened.library, VISSL_ENTRY_SYMBOL));
  if (opened.entry == nullptr) return {kFail, "has no function " VISSL_ENTRY_SYMBOL};
  const vissl_plugin* plugin = opened.entry();
  if (plugin == nullptr) return {kFail, "returns no descriptor from " VISSL_ENTRY_SYMBOL};
  if (plugin->size < offsetof(vissl_plugin, components_end) + sizeof(plugin->components_end))
    return {kFail, "has a descriptor of " + std::to_string(plugin->size) +
                       " bytes, shorter than the ABI demands; set its size to "
                       "sizeof(vissl_plugin)"};
  if (plugin->abi_major != VISSL_ABI_MAJOR)
    return {kFail, "has a descriptor for ABI " + std::to_string(plugin->abi_major) + "." +
                       std::to_string(plugin->abi_minor) + ", and this host speaks ABI " +
                       std::to_string(VISSL_ABI_MAJOR) + "." + std::to_string(VISSL_ABI_MINOR) +
                       "; build it with this SDK"};
  if (opened.entry() != plugin)
    return {kFail, "returns another descriptor at the second call; return static data"};
  const std::string id = plugin->id != nullptr ? plugin->id : "";
  const std::string version = plugin->version != nullptr ? plugin->version : "";
  if (id != file.id || version != file.version)
    return {kFail, "is '" + id + "' " + version + " in its descriptor, but '" + file.id + "' " +
                       file.version + " in its section; use VISSL_PLUGIN, which writes both"};
  opened.plugin = plugin;
  return {};
}

Verdict check_init(Opened& opened) {
  if (opened.plugin == nullptr) return {Outcome::skipped, "there is no usable descriptor"};
  if (opened.plugin->init == nullptr) return {};
  ErrorSink sink;
  vissl_status status = VISSL_OK;
  std::string thrown;
  const double seconds = seconds_of([&] {
    try {
      status = opened.plugin->init(opened.host, sink.get());
    } catch (const std::exception& error) {
      thrown = std::string("an exception leaves its init: ") + error.what();
    } catch (...) {
      thrown = "an exception leaves its init";
    }
  });
  if (!thrown.empty()) return {kFail, thrown + "; catch it and return a status"};
  if (status != VISSL_OK && sink.text().empty())
    return {kFail, "fails in init without a text; say what is wrong through err"};
  if (status != VISSL_OK) return {kFail, "does not start: " + sink.text()};
  if (seconds > kQuick)
    return {kWarn, "takes " + seconds_text(seconds) +
                       " in init; move the work into create, for 'describe' waits for it"};
  return {};
}

Verdict check_component(const vissl_component* component, std::string& kind, std::string& name) {
  if (component == nullptr || component->meta == nullptr)
    return {kFail, "has an empty component descriptor"};
  const std::string meta = component->meta;
  const std::size_t slash = meta.find('/'), second = meta.find('/', slash + 1);
  if (second == std::string::npos)
    return {kFail, "has the component text '" + meta + "', which is not kind/name/sentence"};
  kind = meta.substr(0, slash);
  name = meta.substr(slash + 1, second - slash - 1);
  const std::string subject = kind + " '" + name + "'";
  if (component->size < offsetof(vissl_component, declare) || component->table == nullptr)
    return {kFail, "has a damaged descriptor of " + subject +
                       "; set its size to sizeof(vissl_component) and its table"};
  const Kind* known = find_kind(kind);
  if (known == nullptr) return {};
  const std::string id = component->interface_id != nullptr ? component->interface_id : "";
  if (id != known->interface_id)
    return {kFail, "offers " + subject + " with interface '" + id + "', and this host knows '" +
                       std::string(known->interface_id) + "'; build it with this SDK"};
  std::uint64_t table_size = 0;
  std::memcpy(&table_size, component->table, sizeof(table_size));
  if (table_size < known->least_size)
    return {kFail, "offers " + subject + " with a class table of " + std::to_string(table_size) +
                       " bytes, " + std::to_string(known->least_size) +
                       " are needed; set its size to the size of the table's struct"};
  return {};
}

Verdict check_components(const PluginFile& file, const Opened& opened) {
  if (opened.plugin == nullptr) return {Outcome::skipped, "there is no usable descriptor"};
  std::vector<std::pair<std::string, std::string>> listed, offered;
  for (const ComponentText& text : file.components) listed.emplace_back(text.kind, text.name);
  for (auto it = opened.plugin->components; it != opened.plugin->components_end; ++it) {
    std::pair<std::string, std::string> key;
    if (Verdict verdict = check_component(*it, key.first, key.second);
        verdict.outcome != Outcome::ok)
      return verdict;
    if (std::find(listed.begin(), listed.end(), key) == listed.end())
      return {kFail, "has " + key.first + " '" + key.second +
                         "', which its section does not list; register it with the SDK's macro"};
    offered.push_back(key);
  }
  for (const auto& key : listed)
    if (std::find(offered.begin(), offered.end(), key) == offered.end())
      return {kFail, "lists " + key.first + " '" + key.second +
                         "' in its section but does not have it; build it again"};
  return {};
}

Verdict check_unknown(const Opened& opened) {
  if (opened.plugin == nullptr) return {Outcome::skipped, "there is no usable descriptor"};
  const std::string_view id = "org.example.nobody_has_this/1";
  const vissl_str unknown{id.data(), id.size()};
  if (opened.plugin->get_interface != nullptr && opened.plugin->get_interface(unknown) != nullptr)
    return {kFail, "answers get_interface for an id that nobody has; return NULL for unknown ids"};
  for (auto it = opened.plugin->components; it != opened.plugin->components_end; ++it)
    if (*it != nullptr && (*it)->size >= sizeof(vissl_component) &&
        (*it)->get_extension != nullptr && (*it)->get_extension(unknown) != nullptr)
      return {kFail, "answers get_extension of '" + std::string((*it)->meta) +
                         "' for an id that nobody has; return NULL for unknown ids"};
  return {};
}

}  // namespace

std::vector<Finding> load_checks(const LoadRequest& request) {
  const PluginFile& file = request.file;
  const auto opened = std::make_shared<Opened>();
  ChildLevel level;
  level.level = "load";
  level.replay = false;
  level.name_state_checks = true;
  level.limit_seconds = request.limit_seconds;
  level.prepare = [=, &request] { opened->host = request.host(); };
  level.checks = {
      {"", "open", [=, &file] { return open_file(file, *opened); }},
      {"", "descriptor", [=, &file] { return check_entry(file, *opened); }},
      {"", "init", [=] { return check_init(*opened); }},
      {"", "components", [=, &file] { return check_components(file, *opened); }},
      {"", "unknown_ids", [=] { return check_unknown(*opened); }},
  };
  return run_in_children(level);
}

}  // namespace vissl::host
