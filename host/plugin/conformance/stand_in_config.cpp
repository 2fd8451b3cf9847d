#include "host/plugin/conformance/stand_in_config.hpp"

#include <map>

#include "host/boundary.hpp"
#include "host/config/resolve.hpp"
#include "host/config/toml_read.hpp"

namespace vissl::host {
namespace {

// What the catalogue has, and under any other name a component without parameters.
class StandInIndex final : public DeclarationIndex {
 public:
  explicit StandInIndex(DeclarationIndex& catalogue) : catalogue_(catalogue) {}

  const Declaration* find(std::string_view kind, std::string_view name,
                          const std::string& where) override {
    if (!name.starts_with(kStandIn)) {
      const Declaration* const real = catalogue_.find(kind, name, where);
      if (real != nullptr) return real;
    }
    auto& slot = made_[std::string(kind) + "/" + std::string(name)];
    if (!slot) {
      slot = std::make_unique<Declaration>();
      slot->kind = kind;
      slot->name = name;
      slot->file = slot->plugin_id = "host";
    }
    return slot.get();
  }
  std::vector<std::string> names(std::string_view kind) const override {
    return catalogue_.names(kind);
  }
  std::string searched() const override { return catalogue_.searched(); }

 private:
  DeclarationIndex& catalogue_;
  std::map<std::string, std::unique_ptr<Declaration>> made_;
};

std::string around(const std::string& folder) {
  const std::string part = "{ name = \"" + std::string(kStandIn) + "\" }";
  const std::string split = "data_sources = [" + part + "]\nbatchsize_per_replica = 64\n";
  return "seed_value = 7\nlog_frequency = 1\nhooks = []\n[machine]\ndevice = \"cpu\"\n"
         "threads = 1\nprecision = \"fp32\"\n[data.train]\n" +
         split + "[data.test]\n" + split + "[model]\ntrunk = " + part + "\nheads = [" + part +
         "]\n[loss]\nname = \"" + std::string(kStandIn) + "\"\n[optimizer]\nname = \"" +
         std::string(kStandIn) + "\"\nnum_epochs = 2\nparam_groups = " + part +
         "\n[checkpoint]\ndir = '" + folder + "'\n";
}

Value observer(const char* suffix) {
  Value hook = Value::table();
  hook.set("name", Value::text(std::string(kStandIn) + suffix));
  return hook;
}

}  // namespace

std::unique_ptr<Value> stand_in_config(Subject& subject, const std::string& folder) {
  auto root = std::make_unique<Value>(parse_toml(around(folder), "check-plugin"));
  if (subject.kind() == "hook") {
    std::vector<Value>& hooks = root->find("hooks")->items();
    hooks.push_back(observer("_before"));
    hooks.push_back(subject.config());
    hooks.push_back(observer("_after"));
  } else if (subject.kind() == "loss") {
    root->set("loss", subject.config());
    root->find("hooks")->items().push_back(observer("_steps"));
  } else {
    root->set("engine", subject.config());
  }
  StandInIndex index(subject.bench().catalogue());
  try {
    complete_config(*root, index);
  } catch (const Error& error) {
    judge_skipped(std::string("a small run of check-plugin's own cannot hold it: ") + error.what() +
                  "; try it with 'vissl-host check --config'");
  }
  return root;
}

}  // namespace vissl::host
