// Weights of this project's and of VISSL's checkpoints, and of any state dict whose names a prefix
// turns into "trunk.…" and "heads.…".
//
// state_dict_key_name = "classy_state_dict" (default) reads classy_state_dict.base_model.model; any
// other name, or list of names, is the place of a state dict in the file, "" the file itself, and
// then remove_prefix is cut off where a name begins with it, and append_prefix put before every
// name. A model whose trunk is wrapped for feature evaluation calls it "trunk.base_model.…": both
// spellings fit both models, and the infix is never doubled.
//
// Heads are loaded unless features are evaluated (model.feature_eval.eval_mode_on without
// eval_trunk_and_head).
#include <vissl/plugin.hpp>
#include <vissl/weights.hpp>

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace vissl;

namespace {

bool starts_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

// The place of the state dict inside the file, as the beginning of full names.
std::string place_of(const Config& c) {
  const Config key = c.at("state_dict_key_name");
  std::string place;
  if (key.is_list()) {
    for (const std::string& level : key.strings()) place += level + ".";
  } else if (!key.string().empty()) {
    place = key.string() + ".";
  }
  return place;
}

constexpr std::string_view kVissl = "classy_state_dict.";
constexpr std::string_view kWrapped = "trunk.base_model.";

class Pretrained {
 public:
  static void params(Params& p) {
    p.vissl_prefix("MODEL.WEIGHTS_INIT");
    p.path("params_file", required, "The weights file.");
    p.any("state_dict_key_name", Toml("\"classy_state_dict\""),
          "Where the state dict is in the file: a name, a list of names, or \"\" for the top.");
    p.strings("skip_layers", {"num_batches_tracked"},
              "Tensors of the model whose names contain one of these stay as initialised.");
    p.string("remove_prefix", "", "Cut off from names of the file that begin with it.");
    p.string("append_prefix", "",
             "Put before all names of the file, e.g. \"trunk._feature_blocks.\".");
    p.boolean("strict", false, "Every tensor of the model must be in the file.").vissl("");
    p.boolean("eval_mode_on", false, "Features are evaluated.")
        .vissl("MODEL.FEATURE_EVAL_SETTINGS.EVAL_MODE_ON");
    p.boolean("eval_trunk_and_head", false, "Heads are loaded when features are evaluated.")
        .vissl("MODEL.FEATURE_EVAL_SETTINGS.EVAL_TRUNK_AND_HEAD");
    p.boolean("assert_head_layer_shape_init", true, "Head tensors of another shape are an error.")
        .vissl("MODEL.FEATURE_EVAL_SETTINGS.ASSERT_HEAD_LAYER_SHAPE_INIT");
    p.derive("eval_mode_on", "model.feature_eval.eval_mode_on");
    p.derive("eval_trunk_and_head", "model.feature_eval.eval_trunk_and_head");
    p.derive("assert_head_layer_shape_init", "model.feature_eval.assert_head_layer_shape_init");
  }
  explicit Pretrained(const Config& c)
      : place_(place_of(c)),
        skip_(c.strings("skip_layers")),
        remove_(c.string("remove_prefix")),
        append_(c.string("append_prefix")),
        strict_(c.boolean("strict")),
        heads_(!c.boolean("eval_mode_on") || c.boolean("eval_trunk_and_head")),
        same_head_shapes_(c.boolean("assert_head_layer_shape_init")) {}

  void plan(const WeightsPlan& plan) const {
    const std::vector<std::pair<std::string, const WeightsEntry*>> named = names_of(plan);
    std::vector<std::string> missing;
    for (const WeightsEntry& target : plan.targets()) {
      const std::string layer = skipped_layer(target.name);
      const bool head = target.name.find("heads") != std::string::npos;
      if (!layer.empty()) {
        plan.skip_target(target.name, "skip_layers has '" + layer + "'");
        continue;
      }
      if (head && !heads_) {
        plan.skip_target(target.name, "heads are not loaded when features are evaluated");
        continue;
      }
      bool found = false;
      for (const auto& [name, entry] : named) {
        if (name != target.name) continue;
        found = true;
        if (head && !same_head_shapes_ && entry->shape != target.shape) {
          plan.skip_target(target.name, "the file's tensor has another shape");
        } else {
          plan.load(*entry, target.name);
        }
      }
      if (!found) missing.push_back(target.name);
    }
    if (strict_ && !missing.empty()) {
      fail(VISSL_E_CONFIG, std::to_string(missing.size()) +
                               " tensors of the model are not in the "
                               "file, the first is '" +
                               missing.front() +
                               "'; check the prefixes, "
                               "list them in skip_layers, or set strict = false");
    }
  }

 private:
  // The model's name for each tensor of the state dict, as far as it has one.
  std::vector<std::pair<std::string, const WeightsEntry*>> names_of(const WeightsPlan& plan) const {
    bool wrapped = false;
    for (const WeightsEntry& t : plan.targets()) wrapped = wrapped || starts_with(t.name, kWrapped);
    const bool vissl = place_ == kVissl;
    const std::string place = vissl ? place_ + "base_model.model." : place_;
    bool any_place = false, any_name = false;
    std::vector<std::pair<std::string, const WeightsEntry*>> named;
    for (const WeightsEntry& entry : plan.source()) {
      if (!starts_with(entry.name, place)) continue;
      any_place = true;
      std::string name = entry.name.substr(place.size());
      if (!vissl) {
        if (!remove_.empty() && starts_with(name, remove_)) name.erase(0, remove_.size());
        name.insert(0, append_);
      }
      any_name = any_name || starts_with(name, "trunk.") || starts_with(name, "heads.");
      named.emplace_back(wrap(std::move(name), wrapped), &entry);
    }
    if (!any_place) unknown_place(plan);
    if (!any_name) {
      fail(VISSL_E_CONFIG,
           "no tensor of the file is called \"trunk.…\" or \"heads.…\": the first is "
           "'" +
               named.front().first +
               "'; set remove_prefix and append_prefix, e.g. "
               "append_prefix = \"trunk._feature_blocks.\" for torchvision's ResNets");
    }
    return named;
  }

  static std::string wrap(std::string name, bool wrapped) {
    while (starts_with(name, kWrapped)) name.replace(0, kWrapped.size(), "trunk.");
    if (wrapped && starts_with(name, "trunk.")) name.replace(0, 6, kWrapped);
    return name;
  }

  std::string skipped_layer(const std::string& name) const {
    for (const std::string& part : skip_) {
      if (name.find(part) != std::string::npos) return part;
    }
    return std::string();
  }

  [[noreturn]] void unknown_place(const WeightsPlan& plan) const {
    std::set<std::string> tops;
    for (const WeightsEntry& entry : plan.source()) {
      tops.insert(entry.name.substr(0, entry.name.find('.')));
    }
    std::string list;
    for (const std::string& top : tops) {
      if (list.size() < 200) list += (list.empty() ? "'" : ", '") + top + "'";
    }
    fail(VISSL_E_CONFIG, "the file has no state dict '" + place_.substr(0, place_.size() - 1) +
                             "'; its names begin with " + list +
                             "; set state_dict_key_name of "
                             "[model.weights_init], \"\" for a file that is the state dict itself");
  }

  std::string place_;
  std::vector<std::string> skip_;
  std::string remove_, append_;
  bool strict_, heads_, same_head_shapes_;
};

}  // namespace

VISSL_WEIGHTS(Pretrained, "pretrained",
              "Weights of this project's and VISSL's checkpoints, and of renamed state dicts.")
VISSL_PLUGIN("org.vissl.weights.pretrained", "1.0.0")
