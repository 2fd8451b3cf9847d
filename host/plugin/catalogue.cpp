#include "host/plugin/catalogue.hpp"

#include <vissl/components.h>
#include <vissl/weights_scheme.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "host/abi_text.hpp"
#include "host/config/value.hpp"
#include "host/files/locator_text.hpp"
#include "host/plugin/crash_note.hpp"
#include "host/plugin/declare.hpp"
#include "host/plugin/kinds.hpp"

namespace vissl::host {
namespace {

// The table with the fields that this host knows, whatever release the plugin was built for.
const void* class_table(const vissl_component& component, const Declaration& declaration) {
  return whole_table(component.table, find_kind(declaration.kind)->table_size);
}

// The same of what its instances offer beyond their kind; NULL = not offered.
const void* extension_table(const vissl_component& component, std::string_view id) {
  const bool has_slot =
      component.size >= offsetof(vissl_component, get_extension) + sizeof(component.get_extension);
  if (!has_slot || component.get_extension == nullptr) return nullptr;
  const void* table = component.get_extension({id.data(), id.size()});
  const Kind* known = find_extension(id);
  return table != nullptr && known != nullptr ? whole_table(table, known->table_size) : table;
}

class PluginInstance final : public Instance {
 public:
  PluginInstance(const vissl_component& component, const Declaration& declaration, void* self)
      : component_(component),
        declaration_(declaration),
        table_(class_table(component, declaration)),
        self_(self) {}
  ~PluginInstance() override { static_cast<const ClassHead*>(component_.table)->destroy(self_); }
  PluginInstance(const PluginInstance&) = delete;
  PluginInstance& operator=(const PluginInstance&) = delete;

  const void* table() const override { return table_; }
  void* self() const override { return self_; }
  const void* extension(std::string_view id) const override {
    return extension_table(component_, id);
  }
  const std::string& kind() const override { return declaration_.kind; }
  const std::string& name() const override { return declaration_.name; }
  const std::string& plugin_id() const override { return declaration_.plugin_id; }
  const std::string& plugin_version() const override { return declaration_.plugin_version; }

 private:
  const vissl_component& component_;
  const Declaration& declaration_;
  const void* table_;
  void* self_;
};

// The origin of `node` or of what stands below it, when `text` begins with that place.
const Origin* named_place(const Value& node, const std::string& text) {
  if (text.starts_with(node.origin().where() + ": ")) return &node.origin();
  for (const Value& item : node.items())
    if (const Origin* found = named_place(item, text)) return found;
  for (const TableEntry& entry : node.entries())
    if (const Origin* found = named_place(entry.value, text)) return found;
  return nullptr;
}

// "exp.toml:12:9: transform 'Resize': 'size' must be …": what a component says about its config,
// with the place of the value that it names, at the text's beginning, by place or by quoted key.
std::string refusal(const Value& config, const std::string& subject, std::string text) {
  const Origin* place = named_place(config, text);
  if (place != nullptr) {
    text.erase(0, place->where().size() + 2);
  } else if (const std::size_t end = text.find('\'', 1); text.starts_with('\'')) {
    const Value* named = end != std::string::npos ? config.find(text.substr(1, end - 1)) : nullptr;
    if (named != nullptr && named->origin().by_user()) place = &named->origin();
  }
  return (place != nullptr ? *place : config.origin()).where() + ": " + subject + ": " + text;
}

void* create_instance(const vissl_component& component, const Declaration& declaration,
                      const Value& config) {
  const std::string subject = declaration.kind + " '" + declaration.name + "'";
  const std::string context = config.origin().where() + ": " + subject;
  const CrashNote note("plugin '" + declaration.file + "'",
                       "while it created " + declaration.kind + " '" + declaration.name + "'",
                       "report it to the plugin's author", static_cast<int>(Exit::bad_plugin));
  ErrorSink sink;
  void* self = nullptr;
  const vissl_status status =
      static_cast<const ClassHead*>(component.table)->create(&config, &self, sink.get());
  if (status != VISSL_OK && !sink.text().empty()) {
    const std::string text = refusal(config, subject, sink.text());
    sink.get()->set(sink.get(), status, {text.data(), text.size()});
    sink.check(status, "");
  }
  sink.check(status, context);
  if (self == nullptr)
    throw Error(Exit::bad_plugin, context + ": plugin '" + declaration.file +
                                      "' created nothing; report it to the plugin's author");
  return self;
}

const std::string kHostFile = "host";  // stands for a file in declarations of the host itself

PluginCatalogue* g_catalogue = nullptr;

// vissl.components/1: a component creates another one from its config. Nothing but a status leaves
// the host.
vissl_status create_nested(vissl_str kind, const vissl_value* config, const void** table,
                           void** instance, vissl_err* err) noexcept {
  const auto refuse = [&](vissl_status status, std::string_view text) {
    if (err != nullptr && err->set != nullptr) err->set(err, status, {text.data(), text.size()});
    return status;
  };
  try {
    if (g_catalogue == nullptr || table == nullptr || instance == nullptr || kind.data == nullptr)
      return refuse(VISSL_E_FAILED, "components cannot be created here");
    const Created created =
        g_catalogue->create_unowned({kind.data, static_cast<std::size_t>(kind.size)}, config);
    *table = class_table(*created.component, *created.declaration);
    *instance = created.self;
    return VISSL_OK;
  } catch (const Error& error) {
    return refuse(static_cast<vissl_status>(error.code()), error.what());
  } catch (const std::exception& error) {
    return refuse(VISSL_E_FAILED, error.what());
  }
}

// vissl.locator/0, as guarded as the above. `use` takes what was found.
template <class Use>
vissl_status locate_guarded(vissl_str locator, vissl_err* err, Use&& use) noexcept {
  const auto refuse = [&](vissl_status status, std::string_view text) {
    if (err != nullptr && err->set != nullptr) err->set(err, status, {text.data(), text.size()});
    return status;
  };
  try {
    if (g_catalogue == nullptr || (locator.data == nullptr && locator.size != 0))
      return refuse(VISSL_E_FAILED, "locators cannot be followed here");
    use(g_catalogue->locate({locator.data, static_cast<std::size_t>(locator.size)}));
    return VISSL_OK;
  } catch (const Error& error) {
    return refuse(static_cast<vissl_status>(error.code()), error.what());
  } catch (const std::exception& error) {
    return refuse(VISSL_E_FAILED, error.what());
  }
}

vissl_status local_file(vissl_str locator, const vissl_out* out, vissl_err* err) noexcept {
  return locate_guarded(locator, err, [&](const Located& located) {
    if (out == nullptr) throw Error(Exit::run_failed, "there is nowhere to write the path");
    if (!located.keep.empty())
      throw Error(Exit::usage, without_secrets(view_of(locator)) + ": keeps only the tensors of '" +
                                   located.keep + "', which the component that reads it cannot do");
    const std::string& path = located.path;
    for (std::size_t at = 0; at < path.size();) {
      const std::uint64_t taken = out->write(out->self, path.data() + at, path.size() - at);
      if (taken == 0) throw Error(Exit::run_failed, "the path could not be written");
      at += static_cast<std::size_t>(taken);
    }
  });
}

vissl_status locate_for_plugin(vissl_str locator, void* self,
                               void (*found)(void*, const vissl_located*),
                               vissl_err* err) noexcept {
  return locate_guarded(locator, err, [&](const Located& located) {
    const auto text = [](const std::string& s) { return vissl_str{s.data(), s.size()}; };
    const vissl_located answer = {sizeof(vissl_located), text(located.path), text(located.origin),
                                  text(located.keep), text(located.sha256)};
    found(self, &answer);
  });
}

constexpr vissl_locator_api kLocatorApi = {sizeof(vissl_locator_api), local_file,
                                           locate_for_plugin};

const void* nested_extension(vissl_str kind, const vissl_value* config, vissl_str id) noexcept {
  try {
    if (g_catalogue == nullptr || kind.data == nullptr || id.data == nullptr) return nullptr;
    const vissl_component* component =
        g_catalogue->component({kind.data, static_cast<std::size_t>(kind.size)}, config).component;
    return extension_table(*component, {id.data, static_cast<std::size_t>(id.size)});
  } catch (const std::exception&) {
    return nullptr;  // `create` tells the reason
  }
}

constexpr vissl_components_api kComponentsApi = {sizeof(vissl_components_api), create_nested,
                                                 nested_extension};

std::string quoted_list(const std::vector<std::string>& texts) {
  std::string out;
  for (std::size_t i = 0; i < texts.size(); ++i)
    out += (i == 0 ? "'" : i + 1 == texts.size() ? " and '" : ", '") + texts[i] + "'";
  return out;
}

}  // namespace

PluginCatalogue::PluginCatalogue(std::vector<std::string> places, std::vector<PluginFile> files,
                                 std::vector<Declaration> own, HostServices& services)
    : places_(std::move(places)), files_(std::move(files)), services_(services) {
  for (Declaration& declaration : own) {
    const Key key{declaration.kind, declaration.name};
    declarations_[key] = std::make_unique<Declaration>(std::move(declaration));
  }
  for (const PluginFile& file : files_)
    for (const ComponentText& component : file.components)
      owners_[{component.kind, component.name}].push_back(&file);
  g_catalogue = this;
  services_.offer(VISSL_COMPONENTS_ID, &kComponentsApi);
  services_.offer(VISSL_LOCATOR_ID, &kLocatorApi);
}

PluginCatalogue::~PluginCatalogue() {
  if (g_catalogue == this) g_catalogue = nullptr;
}

std::vector<const PluginFile*> PluginCatalogue::loaded() const {
  std::vector<const PluginFile*> out;
  for (const auto& [file, plugin] : loaded_) out.push_back(file);
  std::sort(out.begin(), out.end(),
            [](const PluginFile* a, const PluginFile* b) { return a->path < b->path; });
  return out;
}

const PluginFile* PluginCatalogue::owner(const Key& key, const std::string& where) const {
  const std::string place = where.empty() ? "" : where + ": ";
  const std::string subject = key.first + " '" + key.second + "'";
  const auto found = owners_.find(key);
  if (found == owners_.end()) {
    // A file whose metadata is unreadable cannot say what it offers, but its name usually does.
    for (const PluginFile& file : files_)
      if (!file.problem.empty() && std::filesystem::path(file.path).stem() == key.second)
        throw Error(Exit::bad_plugin,
                    place + subject + ": plugin '" + file.path + "' " + file.problem);
    return nullptr;
  }
  std::vector<std::string> paths;
  for (const PluginFile* file : found->second) paths.push_back(file->path);
  if (const auto own = declarations_.find(key);
      own != declarations_.end() && own->second->file == kHostFile)
    throw Error(Exit::bad_plugin, place + subject + " belongs to the host, but " +
                                      quoted_list(paths) +
                                      " offers it too; remove that file from the plugin folders");
  if (paths.size() > 1)
    throw Error(Exit::bad_plugin, place + subject + " is offered by " + quoted_list(paths) +
                                      "; keep one of them in the plugin folders");
  const PluginFile* file = found->second.front();
  if (!file->problem.empty())
    throw Error(Exit::bad_plugin,
                place + subject + ": plugin '" + file->path + "' " + file->problem);
  return file;
}

const LoadedPlugin& PluginCatalogue::load(const PluginFile& file) {
  std::unique_ptr<LoadedPlugin>& slot = loaded_[&file];
  if (!slot) {
    services_.prepare_for(file);
    slot = std::make_unique<LoadedPlugin>(file, services_.get());
  }
  return *slot;
}

const Declaration* PluginCatalogue::find(std::string_view kind, std::string_view name,
                                         const std::string& where) {
  const Key key{std::string(kind), std::string(name)};
  const PluginFile* file = owner(key, where);
  const auto found = declarations_.find(key);
  if (found != declarations_.end()) return found->second.get();
  if (file == nullptr) return nullptr;
  auto declaration = std::make_unique<Declaration>();
  declaration->kind = key.first;
  declaration->name = key.second;
  declaration->file = file->path;
  declaration->plugin_id = file->id;
  declaration->plugin_version = file->version;
  for (const ComponentText& text : file->components)
    if (text.kind == kind && text.name == name) declaration->sentence = text.sentence;
  const vissl_component& component = load(*file).component(kind, name);
  const CrashNote note("plugin '" + file->path + "'",
                       "while it declared " + key.first + " '" + key.second + "'",
                       "report it to the plugin's author", static_cast<int>(Exit::bad_plugin));
  run_declare(component, *declaration);
  return (declarations_[key] = std::move(declaration)).get();
}

const vissl_component& PluginCatalogue::descriptor(std::string_view kind, std::string_view name) {
  const PluginFile* file = owner({std::string(kind), std::string(name)}, "");
  if (file == nullptr)
    throw Error(Exit::usage, "no plugin offers " + std::string(kind) + " '" + std::string(name) +
                                 "' (looked in " + searched() + ")");
  return load(*file).component(kind, name);
}

Created PluginCatalogue::component(std::string_view kind, const vissl_value* config) {
  const Value* name = config != nullptr ? config->find("name") : nullptr;
  if (name == nullptr || !name->is_text())
    throw Error(Exit::run_failed, "a component of kind '" + std::string(kind) +
                                      "' was to be created from a config without a name");
  const std::string& where = config->origin().where();
  const Declaration* declaration = find(kind, name->as_text(), where);
  const PluginFile* file =
      declaration != nullptr ? owner({std::string(kind), name->as_text()}, where) : nullptr;
  if (file == nullptr)
    throw Error(Exit::usage, where + ": no plugin offers " + std::string(kind) + " '" +
                                 name->as_text() + "' (looked in " + searched() + ")");
  return {&load(*file).component(kind, name->as_text()), declaration, nullptr};
}

Created PluginCatalogue::create_unowned(std::string_view kind, const vissl_value* config) {
  Created created = component(kind, config);
  created.self = create_instance(*created.component, *created.declaration, *config);
  return created;
}

std::unique_ptr<Instance> PluginCatalogue::create(std::string_view kind,
                                                  const vissl_value* config) {
  const Created created = create_unowned(kind, config);
  return std::make_unique<PluginInstance>(*created.component, *created.declaration, created.self);
}

Located PluginCatalogue::locate(const std::string& locator) {
  return host::locate(*this, *this, schemes_, locator, log_);
}

std::vector<KnownWeights> PluginCatalogue::known_weights() {
  return host::known_weights(*this, *this, schemes_, log_);
}

std::vector<std::string> PluginCatalogue::names(std::string_view kind) const {
  std::vector<std::string> out;
  for (const auto& [key, files] : owners_)
    if (key.first == kind) out.push_back(key.second);
  for (const auto& [key, declaration] : declarations_)
    if (key.first == kind && !owners_.contains(key)) out.push_back(key.second);
  std::sort(out.begin(), out.end());
  return out;
}

std::string PluginCatalogue::searched() const {
  return places_.empty() ? "no folder: give --plugins DIR" : quoted_list(places_);
}

std::vector<CatalogueEntry> PluginCatalogue::entries() const {
  std::map<Key, CatalogueEntry> all;
  for (const auto& [key, files] : owners_) {
    CatalogueEntry& entry = all[key];
    entry = {key.first, key.second, "", {}};
    for (const PluginFile* file : files) {
      entry.files.push_back(file->path);
      for (const ComponentText& text : file->components)
        if (entry.sentence.empty() && text.kind == key.first && text.name == key.second)
          entry.sentence = text.sentence;
    }
  }
  for (const auto& [key, declaration] : declarations_) {
    if (declaration->file != kHostFile) continue;
    CatalogueEntry& entry = all[key];
    if (entry.files.empty()) entry = {key.first, key.second, declaration->sentence, {}};
    entry.files.insert(entry.files.begin(), kHostFile);
  }
  std::vector<CatalogueEntry> out;
  for (auto& [key, entry] : all) out.push_back(std::move(entry));
  return out;
}

}  // namespace vissl::host
