#pragma once
// A model: trunk and heads built from config into one store, and VISSL's rules for forward passes.
// [main]
#include <ATen/core/Tensor.h>
#include <vissl/head.h>
#include <vissl/trunk.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/boundary.hpp"
#include "host/runtime/model/store.hpp"
#include "host/runtime/setting.hpp"

namespace vissl::host {

// Where a model's settings come from: the first table that has a key wins, so that a twin inherits
// what its own table does not list.
class ModelConfig {
 public:
  explicit ModelConfig(std::vector<Setting> tables) : tables_(std::move(tables)) {}
  // The value of the first table that has it; a table is taken whole.
  Setting operator[](std::string_view dotted_key) const {
    for (const Setting& table : tables_)
      if (const Setting found = table[dotted_key]) return found;
    return {};
  }
  const std::vector<Setting>& tables() const { return tables_; }

 private:
  std::vector<Setting> tables_;
};

struct ModelInput {
  // The batch's input: one tensor (N, C, H, W), or a list with one tensor per crop when `list`.
  std::vector<at::Tensor> tensors;
  bool list = false;
  // All fields of the batch by name, for [[model.inputs]]; may be empty for models without it.
  std::map<std::string, at::Tensor, std::less<>> fields;
  // Further inputs of the trunk, e.g. {"mask", …}, {"sizes", …} of padded crops.
  std::vector<std::pair<std::string, at::Tensor>> extras;
  // Names of features to return instead of the heads' outputs. A name that model.feature_eval pools
  // is returned pooled.
  std::vector<std::string> features;
  bool training = false;
  bool from_features = false;                // `tensors` are features: the trunk does not run
  std::size_t head_begin = 0, head_end = 0;  // heads [begin, end) alone; end 0 = to the last
};

// One entry of model.feature_eval.features. Positional arguments as torch's pooling modules take
// them; one number stands for both directions.
struct Pool {
  std::string feature;  // "res5"
  std::string op;  // "AvgPool2d", "MaxPool2d", "AdaptiveAvgPool2d", "AdaptiveMaxPool2d", "Identity"
  std::vector<std::vector<int64_t>> args;
  std::string place;  // "exp.toml:12:5"
};
Pool read_pool(const Setting& config);  // throws Error(usage)
// (N, C, H, W) -> (N, C, H', W'); Identity takes any shape.
at::Tensor apply_pool(const Pool& pool, const at::Tensor& feature);

class Model {
 public:
  // Builds trunk and heads with their initial values, checks that they fit, freezes what the config
  // says and closes the store. Throws Error(usage) for a config that cannot work.
  Model(const ModelConfig& config, Catalogue& catalogue, const vissl_run_facts& facts);
  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  // Outputs in VISSL's order, as one flat list: per head (or per mapped input) all its outputs;
  // trunk features in extraction mode. Grad mode and autocast are the caller's.
  std::vector<at::Tensor> forward(const ModelInput& input);

  Store& store() { return store_; }
  const Store& store() const { return store_; }
  // Names of the forward outputs for meters and files: those of model.feature_eval.features, else
  // {"heads"}.
  const std::vector<std::string>& output_names() const { return output_names_; }
  std::vector<std::string> feature_names() const;  // of the trunk, in network order
  bool feature_extractor() const {
    return !pools_.empty();
  }  // trunk wrapped: names "trunk.base_model.…", base trunk in eval mode
  // Instances in the order of events: trunk, then heads.
  std::vector<Instance*> instances() const;

  // VISSL's temp_frozen_params and non_trainable_params patterns: exact names or globs, a leading
  // "module." is ignored. Throws Error(usage) when nothing matches. Returns parameters in store
  // order.
  std::vector<Entry*> match_parameters(const std::string& pattern, const std::string& setting);

  void set_channels_last(bool on) { channels_last_ = on; }     // memory format of 4-D images
  void set_sync_group(int64_t ranks) { sync_group_ = ranks; }  // 0 = statistics of this rank alone
  int64_t sync_group() const { return sync_group_; }
  // What blocks' listeners see as their model.
  void set_handle(vissl_model* handle) { handle_ = handle; }

 private:
  struct Head {
    std::vector<std::unique_ptr<Instance>> chain;  // one module, or a chained head
    std::string place;                             // "exp.toml:12:5: model.heads[0] (mlp)"
  };
  // Features to ask the trunk for, and how each is pooled (NULL = not). The names alone when
  // `pools` is empty.
  struct Request {
    std::vector<std::string> names;
    std::vector<const Pool*> pools;
  };
  struct Mapping {  // one entry of [[model.inputs]]
    std::string key;
    std::vector<std::string> features;
    std::size_t head;
    std::vector<std::string> extra;
  };

  void read_feature_eval(const ModelConfig& config);
  void build_trunk(const vissl_value* config, Catalogue& catalogue, const vissl_run_facts& facts);
  void build_heads(const Setting& heads, Catalogue& catalogue, const vissl_run_facts& facts);
  void build_head_module(Head& head, std::size_t index, const Setting& config, bool chained,
                         Catalogue& catalogue, const vissl_run_facts& facts);
  void read_inputs(const ModelConfig& config);
  void check_counts() const;
  void check_widths() const;
  void check_width(const Head& head, std::string feature, const Pool* pool) const;
  void freeze(const ModelConfig& config);

  Request default_request() const;
  Request request(const std::vector<std::string>& names) const;
  std::vector<at::Tensor> trunk_forward(
      const at::Tensor& image, const std::vector<std::pair<std::string, at::Tensor>>& extras,
      const Request& request, bool training);
  std::vector<at::Tensor> input_features(const ModelInput& input, const Request& request);
  std::vector<at::Tensor> run_heads(std::vector<at::Tensor> features, const ModelInput& input);
  std::vector<at::Tensor> run_head(Head& head, std::vector<at::Tensor> inputs, bool training);
  std::vector<at::Tensor> forward_mapped(const ModelInput& input);

  Store store_;
  std::unique_ptr<Instance> trunk_;
  std::vector<Head> heads_;
  std::vector<Mapping> inputs_;
  std::vector<Pool> pools_;  // only in feature-extractor mode
  std::vector<std::string> output_names_;
  std::string input_type_;
  bool flatten_features_ = false;
  bool trunk_features_only_ = false;
  bool single_pass_every_crop_ = false;
  bool recompute_ = false;
  bool channels_last_ = false;
  int64_t sync_group_ = 0;
  vissl_model* handle_ = nullptr;
};

}  // namespace vissl::host
