#pragma once
// The core of the fake host: loads a plugin, reads its components, checks a config and creates
// instances. test.hpp adds the services. Errors of the plugin are thrown as Failure with the
// plugin's text.
#include <vissl/state.h>
#include <vissl/service.hpp>
#include <vissl/test/declared.hpp>
#include <vissl/test/report.hpp>

#include <dlfcn.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

// The plugin that is linked into the test program itself, if there is one.
extern "C" const vissl_plugin* vissl_plugin_entry_v1() __attribute__((weak));

namespace vissl {
namespace test VISSL_HIDDEN {

class Instance;

// A component of a loaded plugin.
class Component {
 public:
  std::string kind, name, sentence;
  const vissl_component* descriptor = nullptr;
  Declared declared;

  // Checks the TOML text against the declarations and creates an instance; throws Failure.
  Instance create(std::string_view toml = "") const;
};

class HostCore {
 public:
  HostCore() {
    if (current() != nullptr) report_failure("there is more than one vissl::test::Host at a time");
    current() = this;
    set_host(&raw());
    service(VISSL_VALUE_ID, &value_service());
  }
  HostCore(const HostCore&) = delete;
  HostCore& operator=(const HostCore&) = delete;
  ~HostCore() {
    if (instances_ != 0) {
      report_failure(std::to_string(instances_) + " instances outlive the host");
    }
    for (const auto& check : finish_) check();
    current() = nullptr;
  }
  static HostCore*& current() {
    static HostCore* host = nullptr;
    return host;
  }

  // Makes a service available; the table must live until the process ends.
  void service(const char* id, const void* table) { services_[id] = table; }
  // Runs when the host is destroyed.
  void at_finish(std::function<void()> check) { finish_.push_back(std::move(check)); }

  // Loads a plugin file; its components are then found by `component`. The file stays mapped.
  void load(const std::string& path) {
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) fail(VISSL_E_PLUGIN, dlerror());
    void* symbol = dlsym(library, VISSL_ENTRY_SYMBOL);
    if (symbol == nullptr) fail(VISSL_E_PLUGIN, path + " has no " VISSL_ENTRY_SYMBOL);
    vissl_plugin_entry_fn entry = nullptr;
    std::memcpy(&entry, &symbol, sizeof entry);
    add(entry());
  }
  // Takes the components that are linked into the test program.
  void load_self() {
    if (&vissl_plugin_entry_v1 == nullptr)
      fail(VISSL_E_PLUGIN, "the test program contains no plugin");
    add(vissl_plugin_entry_v1());
  }
  const Component& component(std::string_view kind, std::string_view name) const {
    if (const Component* found = find(kind, name)) return *found;
    fail(VISSL_E_CONFIG, "there is no " + std::string(kind) + " '" + std::string(name) + "'");
  }
  const std::deque<Component>& components() const { return components_; }
  const Component* find(std::string_view kind, std::string_view name) const {
    for (const Component& component : components_) {
      if (component.kind == kind && component.name == name) return &component;
    }
    return nullptr;
  }

  // Keeps a config tree until the host is destroyed: components may keep nodes.
  const Node& keep(std::unique_ptr<Node> config) {
    configs_.push_back(std::move(config));
    return *configs_.back();
  }
  FindDeclared finder() const {
    return [this](const std::string& kind, const std::string& name) -> const Declared* {
      const Component* found = find(kind, name);
      return found != nullptr ? &found->declared : nullptr;
    };
  }
  void count_instances(int by) { instances_ += by; }

 private:
  static const vissl_host& raw() {
    static const vissl_host host = {
        sizeof(vissl_host), VISSL_ABI_MAJOR, VISSL_ABI_MINOR,
        [](const vissl_host*, vissl_str id) -> const void* {
          if (current() == nullptr) return nullptr;
          const auto found = current()->services_.find(std::string(view(id)));
          return found != current()->services_.end() ? found->second : nullptr;
        }};
    return host;
  }
  void add(const vissl_plugin* plugin) {
    if (plugin == nullptr || plugin->size < sizeof(vissl_plugin) ||
        plugin->abi_major != VISSL_ABI_MAJOR) {
      fail(VISSL_E_PLUGIN, "the plugin's descriptor does not fit");
    }
    vissl::call(plugin->init, &raw());
    for (const vissl_component* const* at = plugin->components; at != plugin->components_end;
         ++at) {
      Component component;
      component.descriptor = *at;
      const std::string meta = (*at)->meta;
      const std::size_t first = meta.find('/'), second = meta.find('/', first + 1);
      component.kind = meta.substr(0, first);
      component.name = meta.substr(first + 1, second - first - 1);
      component.sentence = meta.substr(second + 1);
      if (second == std::string::npos || component.sentence.empty()) {
        fail(VISSL_E_PLUGIN, "'" + meta + "' is not kind/name/sentence");
      }
      if (find(component.kind, component.name) != nullptr) continue;  // loaded twice
      vissl::call((*at)->declare, reinterpret_cast<vissl_decl*>(&component.declared),
                  &params_service());
      components_.push_back(std::move(component));
    }
    for (const Component& component : components_) check_defaults(component.declared, finder());
  }

  std::map<std::string, const void*> services_;
  std::deque<Component> components_;
  std::vector<std::unique_ptr<Node>> configs_;
  std::vector<std::function<void()>> finish_;
  int instances_ = 0;
};

// Owns an instance of a component.
class Instance {
 public:
  Instance(const Component& component, const Node& config)
      : component_(&component), descriptor_(component.descriptor) {
    vissl::call(common().create, config.handle(), &handle_);
    HostCore::current()->count_instances(1);
  }
  Instance(Instance&& other) noexcept
      : component_(other.component_),
        descriptor_(other.descriptor_),
        handle_(std::exchange(other.handle_, nullptr)) {}
  Instance& operator=(Instance&& other) noexcept {
    std::swap(component_, other.component_);
    std::swap(descriptor_, other.descriptor_);
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Instance() {
    if (handle_ == nullptr) return;
    common().destroy(handle_);
    if (HostCore::current() != nullptr) HostCore::current()->count_instances(-1);
  }
  void* handle() const { return handle_; }
  const Component& component() const { return *component_; }
  // The class table of its kind: table<vissl_loss_class>(VISSL_LOSS_ID).
  template <class Table>
  const Table& table(const char* id) const {
    if (std::string(descriptor_->interface_id) != id) {
      fail(VISSL_E_PLUGIN,
           component_->name + " offers " + descriptor_->interface_id + ", not " + id);
    }
    return *static_cast<const Table*>(descriptor_->table);
  }
  // An extension of its instances, or NULL.
  template <class Table>
  const Table* extension(const char* id) const {
    if (descriptor_->get_extension == nullptr) return nullptr;
    return static_cast<const Table*>(descriptor_->get_extension(str(id)));
  }

  // The state ("vissl.state/1") as bytes, and back.
  std::string save() const {
    std::string bytes;
    const vissl_out out = {sizeof(vissl_out), &bytes,
                           [](void* self, const void* data, std::uint64_t count) {
                             static_cast<std::string*>(self)->append(
                                 static_cast<const char*>(data), static_cast<std::size_t>(count));
                             return count;
                           }};
    vissl::call(state().save, handle_, &out);
    return bytes;
  }
  void load(std::string bytes) const {
    const vissl_in in = {sizeof(vissl_in), &bytes, [](void* self, void* data, std::uint64_t count) {
                           std::string& left = *static_cast<std::string*>(self);
                           const std::size_t n =
                               std::min(left.size(), static_cast<std::size_t>(count));
                           std::memcpy(data, left.data(), n);
                           left.erase(0, n);
                           return std::uint64_t{n};
                         }};
    vissl::call(state().load, handle_, &in, state().version);
  }

 private:
  // Every class table begins like this.
  struct Common {
    std::uint64_t size;
    vissl_status (*create)(const vissl_value* config, void** instance, vissl_err* err);
    void (*destroy)(void* instance);
  };
  const Common& common() const { return *static_cast<const Common*>(descriptor_->table); }
  const vissl_state_class& state() const {
    const auto* found = extension<vissl_state_class>(VISSL_STATE_ID);
    if (found == nullptr) fail(VISSL_E_UNSUPPORTED, component_->name + " has no state");
    return *found;
  }
  const Component* component_;
  const vissl_component* descriptor_;
  void* handle_ = nullptr;
};

inline Instance Component::create(std::string_view toml) const {
  std::unique_ptr<Node> config = parse_toml(toml);
  HostCore& host = *HostCore::current();
  check_config(*config, declared, host.finder());
  return Instance(*this, host.keep(std::move(config)));
}

}  // namespace test
}  // namespace vissl
