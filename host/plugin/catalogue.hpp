#pragma once
// All components that the plugin files offer, loaded when they are first used.
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/boundary.hpp"
#include "host/config/declaration.hpp"
#include "host/plugin/loaded_plugin.hpp"
#include "host/plugin/locator.hpp"
#include "host/plugin/metadata.hpp"
#include "host/plugin/services.hpp"
#include "host/plugin/weights_formats.hpp"

namespace vissl::host {

// One line of `list`.
struct CatalogueEntry {
  std::string kind;
  std::string name;
  std::string sentence;
  std::vector<std::string>
      files;  // more than one: using it is an error; "host" for what the host itself offers
};

struct Created {
  const vissl_component* component;
  const Declaration* declaration;
  void* self;
};

// At most one at a time: the service "vissl.components/1" has no instance and serves the living
// catalogue. [main]
class PluginCatalogue final : public Catalogue, public DeclarationIndex {
 public:
  // `places`: where `files` were looked for, for messages. `own`: what the host itself offers (its
  // engines); `create` refuses them.
  PluginCatalogue(std::vector<std::string> places, std::vector<PluginFile> files,
                  std::vector<Declaration> own, HostServices& services);
  ~PluginCatalogue() override;
  PluginCatalogue(const PluginCatalogue&) = delete;
  PluginCatalogue& operator=(const PluginCatalogue&) = delete;

  std::unique_ptr<Instance> create(std::string_view kind, const vissl_value* config) override;
  // Where a locator of weights leads (locator.hpp); also the service "vissl.locator/0". Schemes
  // take their parameters from the list given to `use_schemes` and speak to the log of `use_log`.
  Located locate(const std::string& locator);
  // All names of weights that schemes know (locator.hpp).
  std::vector<KnownWeights> known_weights();
  // `schemes`: weights_schemes of the checked config, which lives as long as locators are resolved;
  // NULL = none.
  void use_schemes(const Value* schemes) { schemes_ = schemes; }
  void use_log(Logger* log) { log_ = log; }
  // Formats of the plugins of kind weights_format.
  WeightsFormats& weights_formats() { return formats_; }
  // The same as `create`, without an owner: the caller destroys `self` through the component's
  // class table.
  Created create_unowned(std::string_view kind, const vissl_value* config);
  // What `config` names, not created: `self` is NULL.
  Created component(std::string_view kind, const vissl_value* config);

  // The descriptor of a component; loads its file.
  const vissl_component& descriptor(std::string_view kind, std::string_view name);

  const Declaration* find(std::string_view kind, std::string_view name,
                          const std::string& where) override;
  std::vector<std::string> names(std::string_view kind) const override;
  std::string searched() const override;

  std::vector<CatalogueEntry> entries() const;  // sorted by kind, then name
  const std::vector<PluginFile>& files() const noexcept { return files_; }
  std::vector<const PluginFile*> loaded() const;  // so far, sorted by path

 private:
  using Key = std::pair<std::string, std::string>;  // kind, name

  // The one file that offers the component, NULL = none. Throws for duplicates and for files that
  // cannot be used.
  const PluginFile* owner(const Key& key, const std::string& where) const;
  const LoadedPlugin& load(const PluginFile& file);

  std::vector<std::string> places_;
  std::vector<PluginFile> files_;
  std::map<Key, std::vector<const PluginFile*>> owners_;
  std::map<Key, std::unique_ptr<Declaration>> declarations_;
  std::map<const PluginFile*, std::unique_ptr<LoadedPlugin>> loaded_;
  HostServices& services_;
  PluginFormats formats_{*this, *this};
  const Value* schemes_ = nullptr;
  Logger* log_ = nullptr;
};

}  // namespace vissl::host
