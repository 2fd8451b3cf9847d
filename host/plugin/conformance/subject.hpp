#pragma once
// A component under test, in the child that tests it.
#include <vissl/abi.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "host/plugin/conformance/judged.hpp"
#include "host/plugin/conformance/kit.hpp"
#include "host/plugin/kinds.hpp"

namespace vissl::host {

// The process around the components: services, plugins and, when tensors are needed, the runtime.
// Made once per child and never destroyed.
class Bench {
 public:
  Bench(const PluginFile& file, const KitSettings& settings);
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  const vissl_host* host() const { return services_.get(); }
  PluginCatalogue& catalogue() { return *catalogue_; }
  Runtime& runtime();  // opened at the first call
  // The TOML texts of the parameters that the command line gives to a component.
  const std::map<std::string, std::string>& given(const std::string& component) const;

 private:
  const KitSettings& settings_;
  HostServices services_;
  std::unique_ptr<PluginCatalogue> catalogue_;
  Runtime* runtime_ = nullptr;
  std::map<std::string, std::map<std::string, std::string>> given_;
};

// An instance that is destroyed by its plugin.
class Made {
 public:
  Made(const vissl_component& component, void* self) : component_(&component), self_(self) {}
  Made(Made&& other) noexcept : component_(other.component_), self_(other.self_) {
    other.self_ = nullptr;
  }
  Made& operator=(Made&&) = delete;
  ~Made();
  void* self() const { return self_; }
  template <class Class>
  const Class& as() const {
    return *static_cast<const Class*>(component_->table);
  }

 private:
  const vissl_component* component_;
  void* self_;
};

class Subject {
 public:
  Subject(Bench& bench, std::string kind, std::string name);

  Bench& bench() { return bench_; }
  const std::string& kind() const { return kind_; }
  const std::string& name() const { return name_; }
  const Declaration& declaration();    // throws Error when it cannot be had
  const vissl_component& component();  // throws Error when it cannot be had
  const ClassHead& head();

  // Creates an instance; judges exceptions and failures without a text, gives NULL with the text
  // for an ordinary failure.
  std::unique_ptr<Made> try_create(const Value& config, std::string& text);
  Made create(const Value& config);  // judges every failure

  // Complete configs with which create works: from defaults, from the command line, and made-up
  // values for required parameters. Judges "skipped" with the reason when there is none although
  // some value had to be made up, and a fault otherwise.
  const std::vector<const Value*>& configs();
  const Value& config() { return *configs().front(); }

 private:
  Bench& bench_;
  std::string kind_, name_;
  const Declaration* declaration_ = nullptr;
  std::vector<std::unique_ptr<Value>> kept_;
  std::vector<const Value*> configs_;
};

// The keys of `config` that `body` reads through the service "vissl.value/1".
std::vector<std::string> keys_read(const Value& config, const std::function<void()>& body);

}  // namespace vissl::host
