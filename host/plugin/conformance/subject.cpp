#include "host/plugin/conformance/subject.hpp"

#include <vissl/batch.h>
#include <vissl/image.h>
#include <vissl/sample.h>

#include <algorithm>
#include <set>

#include "host/config/schema.hpp"
#include "host/data/engine.hpp"
#include "host/plugin/conformance/make_config.hpp"
#include "host/plugin/kinds.hpp"
#include "host/plugin/search_path.hpp"

namespace vissl::host {
namespace {

// The value service, with a note of what is read of one table.
struct Watch {
  const Value* table = nullptr;
  std::set<std::string> keys;
};
Watch& watch() {
  static Watch the_watch;
  return the_watch;
}

const vissl_value* watched_at(const vissl_value* value, std::uint64_t i) {
  if (value != nullptr && value == watch().table && i < value->entries().size())
    watch().keys.insert(value->entries()[static_cast<std::size_t>(i)].key);
  return value_api().at(value, i);
}
const vissl_value* watched_find(const vissl_value* value, vissl_str key) {
  if (value != nullptr && value == watch().table && key.data != nullptr)
    watch().keys.emplace(key.data, static_cast<std::size_t>(key.size));
  return value_api().find(value, key);
}

const vissl_value_api& watched_values() {
  static const vissl_value_api api = [] {
    vissl_value_api table = value_api();
    table.at = &watched_at;
    table.find = &watched_find;
    return table;
  }();
  return api;
}

}  // namespace

Bench::Bench(const PluginFile& file, const KitSettings& settings) : settings_(settings) {
  // The file itself, and what its components may be made of.
  std::vector<PluginFile> files = {file};
  for (PluginFile& other : discover_plugins(settings.places)) {
    const bool clashes =
        std::any_of(file.components.begin(), file.components.end(), [&](const ComponentText& mine) {
          return std::any_of(other.components.begin(), other.components.end(),
                             [&](const ComponentText& theirs) {
                               return mine.kind == theirs.kind && mine.name == theirs.name;
                             });
        });
    if (!clashes && other.problem.empty()) files.push_back(std::move(other));
  }
  catalogue_ = std::make_unique<PluginCatalogue>(settings.places, std::move(files),
                                                 own_declarations(), services_);
  for (const char* id : {VISSL_IMAGE_ID, VISSL_SAMPLE_ID, VISSL_BATCH_ID})
    services_.offer(id, data_service(id));
  services_.offer(VISSL_VALUE_ID, &watched_values());
  services_.offer_libtorch(settings.libtorch);
  for (const std::string& setting : settings.given) {
    const std::size_t equals = setting.find('='), dot = setting.find('.');
    given_[setting.substr(0, dot)][setting.substr(dot + 1, equals - dot - 1)] =
        setting.substr(equals + 1);
  }
}

Runtime& Bench::runtime() {
  if (runtime_ == nullptr) {
    runtime_ = &settings_.open_runtime(services_, *catalogue_);
    services_.forward_to([this](std::string_view id) { return runtime_->get_service(id); });
  }
  return *runtime_;
}

const std::map<std::string, std::string>& Bench::given(const std::string& component) const {
  static const std::map<std::string, std::string> none;
  const auto found = given_.find(component);
  return found != given_.end() ? found->second : none;
}

Made::~Made() {
  if (self_ != nullptr) static_cast<const ClassHead*>(component_->table)->destroy(self_);
}

Subject::Subject(Bench& bench, std::string kind, std::string name)
    : bench_(bench), kind_(std::move(kind)), name_(std::move(name)) {}

const Declaration& Subject::declaration() {
  if (declaration_ == nullptr) declaration_ = bench_.catalogue().find(kind_, name_, "");
  if (declaration_ == nullptr) judge_wrong("it is not offered");
  return *declaration_;
}

const vissl_component& Subject::component() {
  return bench_.catalogue().descriptor(kind_, name_);
}

const ClassHead& Subject::head() {
  const auto& table = *static_cast<const ClassHead*>(component().table);
  if (table.create == nullptr || table.destroy == nullptr)
    judge_wrong("its class table has no create or no destroy");
  return table;
}

std::unique_ptr<Made> Subject::try_create(const Value& config, std::string& text) {
  void* self = nullptr;
  ErrorSink sink;
  const vissl_status status =
      status_of("create", sink, [&](vissl_err* err) { return head().create(&config, &self, err); });
  text = sink.text();
  if (status != VISSL_OK) return nullptr;
  if (self == nullptr) judge_wrong("create succeeds without an instance; set *instance");
  return std::make_unique<Made>(component(), self);
}

Made Subject::create(const Value& config) {
  std::string text;
  std::unique_ptr<Made> made = try_create(config, text);
  if (made == nullptr) judge_wrong("create fails: " + text);
  return std::move(*made);
}

const std::vector<const Value*>& Subject::configs() {
  if (!configs_.empty()) return configs_;
  const std::string hint =
      "; give values: check-plugin FILE.so " + kind_ + "/" + name_ + ".PARAMETER=VALUE";
  MadeConfigs made =
      make_configs(bench_.catalogue(), declaration(), bench_.given(kind_ + "/" + name_));
  if (!made.missing.empty()) judge_skipped("needs " + made.missing + hint);
  std::string text;
  for (Value& config : made.configs) {
    auto kept = std::make_unique<Value>(std::move(config));
    if (try_create(*kept, text) == nullptr) continue;
    configs_.push_back(kept.get());
    kept_.push_back(std::move(kept));
  }
  if (configs_.empty() && made.made_up)
    judge_skipped("no values could be made up for its required parameters (" + text + ")" + hint);
  if (configs_.empty())
    judge_wrong("create refuses its own defaults: " + text + "; correct the defaults in declare");
  return configs_;
}

std::vector<std::string> keys_read(const Value& config, const std::function<void()>& body) {
  watch() = {&config, {}};
  body();
  std::vector<std::string> keys(watch().keys.begin(), watch().keys.end());
  watch() = {};
  return keys;
}

}  // namespace vissl::host
