// VISSL's default parameter groups. Trunk and heads are told apart by "head" in the name, and each
// is split by whether weight decay acts:
//   linear and convolution: weights yes, biases as regularize_bias says
//   batch and layer norm:   weights as regularize_bn says, biases when both switches are on
//   everything else (group norm, tokens, position embeddings …): yes, in a group of its own
// Names that contain one of non_regularized_parameters take no weight decay wherever they were.
// The weight decay of a group is a constant, or follows the schedule weight_decay (for heads with
// use_different_wd: weight_decay_head) when there is one.
#include <vissl/param_groups.hpp>
#include <vissl/plugin.hpp>

#include <optional>
#include <string>
#include <vector>

using namespace vissl;

namespace {

struct HeadOptions {
  bool own_lr = false, own_decay = false;
  double decay = 1e-4;

  explicit HeadOptions(const Config& c) {
    for (std::uint64_t i = 0; i < c.size(); ++i) {
      const std::string key = c.key(i);
      if (key == "use_different_lr") {
        own_lr = c.boolean(key);
      } else if (key == "use_different_wd") {
        own_decay = c.boolean(key);
      } else if (key == "weight_decay") {
        decay = c.number(key);
      } else {
        fail(VISSL_E_CONFIG, c.at(i).where() + ": unknown key '" + key +
                                 "' in head_optimizer_params; it has use_different_lr, " +
                                 "use_different_wd and weight_decay");
      }
    }
  }
};

bool contains_any(const std::string& name, const std::vector<std::string>& parts) {
  for (const std::string& part : parts) {
    if (name.find(part) != std::string::npos) return true;
  }
  return false;
}

class DefaultGroups {
 public:
  static void params(Params& p) {
    p.vissl_prefix("OPTIMIZER");
    p.boolean("regularize_bn", false, "Weight decay acts on the weights of norms.");
    p.boolean("regularize_bias", true, "Weight decay acts on biases.");
    p.strings("non_regularized_parameters", {},
              "Parts of names of parameters without weight decay.");
    p.table("head_optimizer_params", Toml("{}"),
            "{ use_different_lr = false, use_different_wd = false, weight_decay = 1e-4 }: schedule "
            "lr_head and an own weight decay for the heads.");
    p.boolean("construct_single_param_group_only", false, "All parameters in one group.");
  }
  explicit DefaultGroups(const Config& c)
      : regularize_norm_(c.boolean("regularize_bn")),
        regularize_bias_(c.boolean("regularize_bias")),
        free_(c.strings("non_regularized_parameters")),
        head_(c.table("head_optimizer_params")),
        single_(c.boolean("construct_single_param_group_only")) {}

  void assign(const ParamGroupsCall& call) const {
    if (single_) {
      const auto all = call.add("all");
      decay(call, all, Decay::trunk);
      for (const Param& p : call.params()) {
        if (p.trainable) call.assign(p, all);
      }
      return;
    }
    const auto trunk = add(call, "trunk_regularized", Decay::trunk, false);
    const auto trunk_free = add(call, "trunk_unregularized", Decay::none, false);
    const auto head = add(call, "head_regularized", Decay::head, true);
    const auto head_free = add(call, "head_unregularized", Decay::none, true);
    std::optional<ParamGroupsCall::Group> rest, rest_free;  // only when something is in them
    for (const Param& p : call.params()) {
      if (!p.trainable) continue;
      const bool in_head = p.name.find("head") != std::string::npos;
      const Place place =
          contains_any(p.name, free_) && placed(p) != Place::free ? Place::rest_free : placed(p);
      switch (place) {
        case Place::regularized:
          call.assign(p, in_head ? head : trunk);
          break;
        case Place::free:
          call.assign(p, in_head ? head_free : trunk_free);
          break;
        case Place::rest:
          if (!rest) rest = add(call, "remaining_regularized", Decay::trunk, false);
          call.assign(p, *rest);
          break;
        case Place::rest_free:
          if (!rest_free) rest_free = add(call, "remaining_unregularized", Decay::none, false);
          call.assign(p, *rest_free);
          break;
      }
    }
  }

 private:
  enum class Decay { trunk, head, none };
  enum class Place { regularized, free, rest, rest_free };

  Place placed(const Param& p) const {
    const bool bias = p.role == VISSL_ROLE_BIAS;
    if (!bias && p.role != VISSL_ROLE_WEIGHT) return Place::rest;
    bool regularized = true;
    if (p.module == VISSL_MODULE_LINEAR || p.module == VISSL_MODULE_CONV) {
      regularized = !bias || regularize_bias_;
    } else if (p.module == VISSL_MODULE_BATCH_NORM || p.module == VISSL_MODULE_LAYER_NORM) {
      regularized = regularize_norm_ && (!bias || regularize_bias_);
    } else {
      return Place::rest;
    }
    return regularized ? Place::regularized : Place::free;
  }

  ParamGroupsCall::Group add(const ParamGroupsCall& call, const char* name, Decay kind,
                             bool of_head) const {
    const auto group = call.add(name);
    if (of_head && head_.own_lr) call.schedule(group, "lr", "lr_head");
    decay(call, group, kind);
    return group;
  }

  void decay(const ParamGroupsCall& call, ParamGroupsCall::Group group, Decay kind) const {
    const std::optional<Config> schedules = call.optimizer().find("param_schedulers");
    const auto scheduled = [&](const char* name) { return schedules && schedules->has(name); };
    if (kind == Decay::none) {
      call.constant(group, "weight_decay", 0.0);
    } else if (kind == Decay::head && head_.own_decay) {
      if (scheduled("weight_decay_head")) {
        call.schedule(group, "weight_decay", "weight_decay_head");
      } else {
        call.constant(group, "weight_decay", head_.decay);
      }
    } else if (scheduled("weight_decay")) {
      call.schedule(group, "weight_decay", "weight_decay");
    } else if (const std::optional<Config> value = call.optimizer().find("weight_decay")) {
      call.constant(group, "weight_decay", value->number());
    }
  }

  bool regularize_norm_, regularize_bias_;
  std::vector<std::string> free_;
  HeadOptions head_;
  bool single_;
};

}  // namespace

VISSL_PARAM_GROUPS(DefaultGroups, "default", "Trunk and heads, each with and without weight decay.")
VISSL_PLUGIN("org.vissl.param_groups.default", "1.0.0")
