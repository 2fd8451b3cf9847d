// Building a model: components, names, seeds, checks, freezing.
#include "host/runtime/model/model.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>
#include <c10/util/StringUtil.h>
#include <fnmatch.h>

#include <algorithm>
#include <set>

#include "host/runtime/abi/handle.hpp"

namespace vissl::host {

namespace {

const vissl_trunk_class& trunk_class(const Instance& trunk) {
  return trunk.as<vissl_trunk_class>();
}

std::string last_feature(const Instance& trunk) {
  const uint64_t count = trunk_class(trunk).feature_count(trunk.self());
  return count == 0 ? "" : text(trunk_class(trunk).feature_name(trunk.self(), count - 1));
}

int64_t in_channels(const Instance& head) {
  const auto& table = head.as<vissl_head_class>();
  return table.in_channels != nullptr ? table.in_channels(head.self()) : -1;
}

// Whether pooling leaves one value per channel, so that flattening keeps the width.
bool pools_to_one_value(const Pool& pool) {
  return pool.op.starts_with("Adaptive") &&
         std::all_of(pool.args[0].begin(), pool.args[0].end(), [](int64_t n) { return n == 1; });
}

}  // namespace

Model::Model(const ModelConfig& config, Catalogue& catalogue, const vissl_run_facts& facts)
    : store_(facts.seed),
      input_type_(config["input_type"].as_string()),
      single_pass_every_crop_(config["single_pass_every_crop"].as_bool()) {
  read_feature_eval(config);
  build_trunk(config["trunk"].value(), catalogue, facts);
  build_heads(config["heads"], catalogue, facts);
  store_.close();
  read_inputs(config);
  check_counts();
  check_widths();
  freeze(config);
  const auto parameters = store_.parameters();
  // Modules that follow one another show whether they fit when they run, so they run once on zeros.
  const at::NoGradGuard no_grad;
  const bool in_a_row = inputs_.empty() && pools_.size() <= 1 && !trunk_features_only_;
  std::vector<at::Tensor> row;
  for (Head& head : heads_) {
    const int64_t width = in_channels(*head.chain.front());
    if (row.empty() && width < 0) break;
    try {
      row =
          run_head(head, row.empty() ? std::vector{at::zeros({2, width})} : std::move(row), false);
    } catch (const Error& error) {
      if (error.code() == Exit::usage) throw;
      row.clear();  // zeros of that shape are nothing to this module
    }
    if (!in_a_row) row.clear();
  }
  recompute_ = config["activation_checkpointing.use_activation_checkpointing"].as_bool() &&
               std::any_of(parameters.begin(), parameters.end(), [](const Entry* entry) {
                 return entry->name.starts_with("trunk.") && entry->trainable();
               });
}

Model::~Model() = default;

void Model::read_feature_eval(const ModelConfig& config) {
  const bool on = config["feature_eval.eval_mode_on"].as_bool();
  const bool frozen = config["feature_eval.freeze_trunk_only"].as_bool() ||
                      config["feature_eval.freeze_trunk_and_head"].as_bool();
  const Setting features = config["feature_eval.features"];
  trunk_features_only_ = on && config["feature_eval.extract_trunk_features_only"].as_bool();
  flatten_features_ = config["feature_eval.should_flatten_feats"].as_bool();
  if (features.size() > 0 && !(on && frozen))
    throw Error(Exit::usage,
                features.where() +
                    ": model.feature_eval.features is used only with eval_mode_on = true and "
                    "freeze_trunk_only or freeze_trunk_and_head; set them, or remove the list");
  if (on && frozen)
    for (std::size_t i = 0; i < features.size(); ++i) pools_.push_back(read_pool(features.at(i)));
  for (const Pool& pool : pools_) output_names_.push_back(pool.feature);
  if (output_names_.empty()) output_names_.push_back("heads");
}

void Model::build_trunk(const vissl_value* config, Catalogue& catalogue,
                        const vissl_run_facts& facts) {
  if (config == nullptr)
    throw Error(Exit::usage, "the config has no model.trunk; name a trunk there");
  trunk_ = catalogue.create("trunk", config);
  ErrorSink err;
  err.check(trunk_class(*trunk_).build(
                trunk_->self(), store_.scope(feature_extractor() ? "trunk.base_model" : "trunk"),
                &facts, err.get()),
            "trunk '" + trunk_->name() + "'");
}

void Model::build_heads(const Setting& heads, Catalogue& catalogue, const vissl_run_facts& facts) {
  for (std::size_t i = 0; i < heads.size(); ++i) {
    Head head;
    const Setting config = heads.at(i);
    head.place = config.where() + ": model.heads[" + std::to_string(i) + "]";
    if (config.type() == VISSL_VALUE_LIST) {
      if (config.size() == 0) throw Error(Exit::usage, head.place + " is an empty chain of heads");
      for (std::size_t k = 0; k < config.size(); ++k)
        build_head_module(head, i, config.at(k), true, catalogue, facts);
    } else {
      build_head_module(head, i, config, false, catalogue, facts);
    }
    heads_.push_back(std::move(head));
  }
}

// Every module is drawn from the model's seed plus its place in the chain, whatever was drawn
// before (VISSL's seeded block).
void Model::build_head_module(Head& head, std::size_t index, const Setting& config, bool chained,
                              Catalogue& catalogue, const vissl_run_facts& facts) {
  const std::size_t position = head.chain.size();
  std::string scope = "heads." + std::to_string(index);
  if (chained) scope += "." + std::to_string(position);
  auto module = catalogue.create("head", config.value());
  ErrorSink err;
  store_.seed_push(position);
  err.check(
      module->as<vissl_head_class>().build(module->self(), store_.scope(scope), &facts, err.get()),
      head.place + " (" + module->name() + ")");
  store_.seed_pop();
  head.chain.push_back(std::move(module));
}

void Model::read_inputs(const ModelConfig& config) {
  const Setting inputs = config["inputs"];
  std::set<std::string> keys;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Setting entry = inputs.at(i);
    Mapping mapping{entry.string("key"), entry.strings("features"), 0, entry.strings("extra")};
    if (!keys.insert(mapping.key).second)
      throw Error(Exit::usage, entry.where() + ": [[model.inputs]] names the key '" + mapping.key +
                                   "' twice; each input can be mapped once");
    const std::size_t last = heads_.empty() ? 0 : heads_.size() - 1;
    const Setting head = entry["head"];
    if (head && (head.as_int() < 0 || head.as_int() > static_cast<int64_t>(last)))
      throw Error(Exit::usage,
                  c10::str(head.where(), ": head ", head.as_int(), " of input '", mapping.key,
                           "' does not exist; model.heads has ", heads_.size()));
    mapping.head = head ? static_cast<std::size_t>(head.as_int()) : std::min(i, last);
    inputs_.push_back(std::move(mapping));
  }
}

void Model::check_counts() const {
  if (heads_.empty() || trunk_features_only_ || !inputs_.empty()) return;
  const std::size_t features = std::max<std::size_t>(pools_.size(), 1);
  if (features != 1 && features != heads_.size())
    throw Error(Exit::usage, c10::str(pools_.front().place, ": model.feature_eval.features lists ",
                                      features, " features, but model.heads has ", heads_.size(),
                                      "; give one head per feature, or one feature for all heads"));
}

void Model::check_widths() const {
  if (trunk_class(*trunk_).feature_channels == nullptr || trunk_features_only_) return;
  if (!inputs_.empty()) {
    for (const Mapping& input : inputs_)
      if (!heads_.empty() && input.features.size() <= 1 && pools_.empty())
        check_width(heads_[input.head],
                    input.features.empty() ? last_feature(*trunk_) : input.features.front(),
                    nullptr);
  } else if (pools_.size() > 1) {
    for (std::size_t i = 0; i < heads_.size(); ++i)
      check_width(heads_[i], pools_[i].feature, &pools_[i]);
  } else if (!heads_.empty()) {
    check_width(heads_.front(), pools_.empty() ? last_feature(*trunk_) : pools_.front().feature,
                pools_.empty() ? nullptr : &pools_.front());
  }
}

void Model::check_width(const Head& head, std::string feature, const Pool* pool) const {
  const Instance& module = *head.chain.front();
  if (pool != nullptr && flatten_features_ && !pools_to_one_value(*pool)) return;
  const int64_t width = trunk_class(*trunk_).feature_channels(trunk_->self(), str(feature));
  const int64_t wanted = in_channels(module);
  if (width < 0 || wanted < 0 || width == wanted) return;
  throw Error(Exit::usage,
              c10::str(head.place, " (", module.name(), ") takes ", wanted,
                       " channels, but feature '", feature, "' of trunk '", trunk_->name(),
                       "' has ", width, "; set the head's input width to ", width));
}

void Model::freeze(const ModelConfig& config) {
  if (config["feature_eval.eval_mode_on"].as_bool()) {
    const bool trunk_only = config["feature_eval.freeze_trunk_only"].as_bool();
    const bool both = config["feature_eval.freeze_trunk_and_head"].as_bool();
    if (trunk_only || both) store_.set_trainable("trunk.", false);
    if (both && !trunk_only) store_.set_trainable("heads.", false);
  }
  const Setting names = config["non_trainable_params"];
  for (std::size_t i = 0; i < names.size(); ++i)
    for (Entry* entry : match_parameters(names.at(i).as_string(),
                                         names.at(i).where() + ": model.non_trainable_params"))
      entry->tensor.requires_grad_(false);
}

std::vector<std::string> Model::feature_names() const {
  std::vector<std::string> names;
  const uint64_t count = trunk_class(*trunk_).feature_count(trunk_->self());
  for (uint64_t i = 0; i < count; ++i)
    names.push_back(text(trunk_class(*trunk_).feature_name(trunk_->self(), i)));
  return names;
}

std::vector<Instance*> Model::instances() const {
  std::vector<Instance*> all{trunk_.get()};
  for (const Head& head : heads_)
    for (const auto& module : head.chain) all.push_back(module.get());
  return all;
}

std::vector<Entry*> Model::match_parameters(const std::string& pattern,
                                            const std::string& setting) {
  const std::string glob = pattern.starts_with("module.") ? pattern.substr(7) : pattern;
  std::vector<Entry*> matches;
  for (Entry* entry : store_.parameters())
    if (fnmatch(glob.c_str(), entry->name.c_str(), 0) == 0) matches.push_back(entry);
  if (matches.empty())
    throw Error(Exit::usage, setting + ": no parameter matches '" + pattern +
                                 "'; `vissl-host show model` lists their names");
  return matches;
}

}  // namespace vissl::host
