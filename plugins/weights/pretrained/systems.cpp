#include <algorithm>
#include <unordered_map>
#include <utility>

#include "filters.hpp"
#include "fit.hpp"

using namespace vissl;

namespace pretrained {

namespace {

struct Rules {
  System system;
  std::vector<std::string> wrappers;        // the first that the file has is opened
  std::vector<std::string> averaged;        // tried before them when averages are wanted
  std::vector<std::string> inner_wrappers;  // then opened inside it
  std::vector<std::pair<const char*, const char*>> renames;
};

const Rules& rules_of(System system) {
  static const std::vector<Rules> all = {
      {System::essmc2, {"state_dict"}, {}, {"model_state"}, {{R"(^module\.)", ""}}},
      {System::timm,
       {"state_dict", "model"},
       {"state_dict_ema", "model_ema"},
       {},
       {{R"(^module\.)", ""}, {R"(^_orig_mod\.)", ""}}},
      {System::timm_classic,
       {"state_dict", "model"},
       {"state_dict_ema", "model_ema"},
       {},
       {{R"(^module\.)", ""}}},
      {System::mmcv, {"state_dict"}, {}, {}, {{R"(^module\.)", ""}}},
      {System::vis4d, {"state_dict", "model"}, {}, {}, {{R"(^module\.)", ""}}},
      {System::detectron2, {"model", "model_state", "blobs"}, {}, {}, {{R"(^module\.)", ""}}},
  };
  return *std::find_if(all.begin(), all.end(), [&](const Rules& r) { return r.system == system; });
}

Names opened(const Settings& settings, const WeightsPlan& plan, const Rules& rules) {
  if (settings.key) return must_be_below(plan, *settings.key);
  std::vector<std::string> wrappers;
  if (settings.use_ema.value_or(true)) wrappers = rules.averaged;
  wrappers.insert(wrappers.end(), rules.wrappers.begin(), rules.wrappers.end());
  std::string place = wrapper_of(plan, wrappers);
  for (const std::string& inner : rules.inner_wrappers)
    if (!below(plan, place + inner + ".").empty()) place += inner + ".";
  return below(plan, place);
}

// remove_prefix, rules, sub level; append_prefix comes when the trunk is placed.
void rename_all(const Settings& settings, const Rules& rules, const Targets& targets,
                Names& names) {
  std::vector<Rule> steps = settings.rules;
  if (!settings.has_rules)
    for (const auto& [pattern, replacement] : rules.renames)
      steps.emplace_back(pattern, replacement);
  rename(settings, steps, names);
  if (settings.sub_level.empty()) return;
  const Names all = std::move(names);
  names.clear();
  for (const Named& named : all)
    if (starts_with(named.name, settings.sub_level))
      names.push_back({named.name.substr(settings.sub_level.size()), named.tensor});
  if (names.empty())
    fail(VISSL_E_CONFIG, settings.sub_level.substr(0, settings.sub_level.size() - 1) +
                             " is not in the pretrained model: no name begins with '" +
                             settings.sub_level + "'; the first is '" + all.front().name + "'" +
                             where_it_fits(all, targets));
}

// After an append_prefix that fits nothing, or less than another would: an error, or a warning that
// explains what the host says next of the trunk's coverage.
void judge_prefix(const Settings& settings, const Names& names, const Targets& targets,
                  const WeightsPlan& plan) {
  bool any = false;
  std::int64_t fitting = 0;
  for (const Named& named : names) {
    const WeightsEntry* target = targets.find(settings.append + named.name);
    any = any || target != nullptr;
    if (target != nullptr && starts_with(target->name, "trunk.") &&
        fits(named.shape(), target->shape))
      fitting += numel(*target);
  }
  const std::vector<Placement> found = placements(names, targets, {{&same_names()}});
  std::string better;
  if (!found.empty()) {
    const std::string sub_level = settings.sub_level + found.front().from;
    if (!sub_level.empty())
      better = "sub_level = \"" + sub_level.substr(0, sub_level.size() - 1) + "\" and ";
    better = "set " + better + "append_prefix = \"" + found.front().to + "\", with which " +
             std::to_string(found.front().tensors) + " tensors fit";
  }
  if (!any)
    fail(VISSL_E_CONFIG, "append_prefix = \"" + settings.append +
                             "\" makes no name of the file the model's: the first is '" +
                             settings.append + names.front().name + "', the model's '" +
                             targets.all().front().name + "'; " +
                             (found.empty() ? "leave append_prefix out, for which the profile "
                                              "looks for the names itself"
                                            : better));
  if (2 * fitting < targets.trunk_elements() && !found.empty() && found.front().elements > fitting)
    plan.message(VISSL_LOG_WARNING, "weights: append_prefix fits little of the trunk; " + better);
}

Placement placed(const Settings& settings, const Names& names, const Targets& targets,
                 const WeightsPlan& plan) {
  if (targets.places().empty() && settings.append.empty()) return without_trunk(names);
  Placement place;
  place.map = &same_names();
  if (!settings.append.empty()) {
    place.to = settings.append;
    judge_prefix(settings, names, targets, plan);
    return place;
  }
  // mmcv, vis4d and EssentialMC2 know no other names; they are tried when nothing else fits.
  const bool knows_maps = settings.system == System::detectron2 ||
                          settings.system == System::timm ||
                          settings.system == System::timm_classic;
  std::vector<Placement> found;
  if (!knows_maps) found = placements(names, targets, {{&same_names()}});
  if (found.empty()) found = placements(names, targets, {all_key_maps()});
  if (found.empty()) {
    const std::string shapes = shapes_alone(names, targets);
    if (!shapes.empty()) fail(VISSL_E_CONFIG, "nothing in the file fits the model: " + shapes);
    fail(VISSL_E_CONFIG,
         "nothing in the file matches the model: the first name is '" + names.front().name +
             "', the model has '" + targets.places().front() +
             "…'; set append_prefix, sub_level or rev_keys of [model.weights_init], or profile = "
             "\"auto\"");
  }
  return found.front();
}

std::string torch_name(vissl_dtype dtype) {
  switch (dtype) {
    case VISSL_U8:
      return "torch.uint8";
    case VISSL_I8:
      return "torch.int8";
    case VISSL_I16:
      return "torch.int16";
    case VISSL_I32:
      return "torch.int32";
    case VISSL_I64:
      return "torch.int64";
    case VISSL_F16:
      return "torch.float16";
    case VISSL_F32:
      return "torch.float32";
    case VISSL_F64:
      return "torch.float64";
    case VISSL_C64:
      return "torch.complex64";
    case VISSL_C128:
      return "torch.complex128";
    case VISSL_BOOL:
      return "torch.bool";
    case VISSL_BF16:
      return "torch.bfloat16";
    default:
      return "element type " + std::to_string(dtype);
  }
}

// The class that EssentialMC2 would name: the trunk's, known by its tensors, where there are no
// heads.
std::string class_of(const WeightsPlan& plan) {
  std::string trunk = "Backbone";
  for (const WeightsEntry& target : plan.targets()) {
    if (starts_with(target.name, "heads.")) return "Classifier";
    for (const auto& [part, name] : {std::pair(".layer1.0.", "ResNet"),
                                     {".res2.block", "RegNet"},
                                     {".blocks.0.attn.", "VisionTransformer"}})
      if (target.name.find(part) != std::string::npos) trunk = name;
  }
  return trunk;
}

void say_essmc2(const Settings& settings, const WeightsPlan& plan, const Fitted& fitted) {
  plan.message(VISSL_LOG_INFO,
               "Load pretrained model [" + class_of(plan) + "] from " + settings.locator);
  std::string ignored;
  for (const Mismatch& m : fitted.mismatches)
    ignored += "\n" + m.name +
               (m.shape ? ": invalid shape, dst " + torch_size(m.to->shape) + " vs. src " +
                              torch_size(m.from->shape)
                        : ": invalid dtype, dst " + torch_name(m.to->dtype) + " vs. src " +
                              torch_name(dtype_of(*m.from)));
  if (!ignored.empty()) plan.message(VISSL_LOG_WARNING, "ignore keys from source: " + ignored);
  std::vector<std::string> missing;
  for (const Mismatch& m : fitted.mismatches) missing.push_back(m.name);
  missing.insert(missing.end(), fitted.missing.begin(), fitted.missing.end());
  std::string lines;
  if (!fitted.unexpected.empty())
    lines = "unexpected key in source state_dict: " + joined(fitted.unexpected);
  if (!missing.empty())
    lines += (lines.empty() ? "" : "\n") + ("missing key in source state_dict: " + joined(missing));
  if (!lines.empty()) plan.message(VISSL_LOG_WARNING, lines);
}

// The word that mmcv and vis4d have for what reads the file: their loading functions' names.
std::string backend_of(const std::string& locator) {
  const std::size_t mark = locator.find("://");
  if (mark == std::string::npos) return "local";
  // A word may stand before the scheme: "open-mmlab:s3://x".
  const std::size_t colon = locator.rfind(':', mark - 1);
  const std::size_t begin = mark == 0 || colon == std::string::npos ? 0 : colon + 1;
  const std::string scheme = locator.substr(begin, mark - begin);
  static const std::unordered_map<std::string, std::string> words = {
      {"file", "local"},           {"https", "http"},   {"mmdet", "http"},
      {"mmseg", "http"},           {"bdd100k", "http"}, {"modelzoo", "torchvision"},
      {"open-mmlab", "openmmlab"}, {"s3", "ceph"}};
  const auto word = words.find(scheme);
  return word == words.end() ? scheme : word->second;
}

// mmcv's and vis4d's report, which a strict load ends with.
void say_mmcv(const Settings& settings, const WeightsPlan& plan, const Fitted& fitted) {
  const bool vis4d = settings.system == System::vis4d;
  plan.message(VISSL_LOG_INFO, std::string(vis4d ? "Load" : "load") + " checkpoint from " +
                                   backend_of(settings.locator) + " path: " + settings.locator);
  std::string lines;
  for (const Mismatch& m : fitted.mismatches)
    lines += "\nsize mismatch for " + m.name + ": copying a param with shape " +
             torch_size(m.from->shape) + " from checkpoint, the shape in current model is " +
             torch_size(m.to->shape) + ".";
  if (!fitted.unexpected.empty())
    lines += "\nunexpected key in source state_dict: " + joined(fitted.unexpected) + "\n";
  if (!fitted.missing.empty())
    lines += "\nmissing keys in source state_dict: " + joined(fitted.missing) + "\n";
  if (lines.empty()) return;
  const std::string report = "The model and loaded state dict do not match exactly\n" + lines;
  if (settings.strict)
    fail(VISSL_E_CONFIG, report + "\nset strict = false of [model.weights_init] to load what fits");
  plan.message(VISSL_LOG_WARNING, report);
}

// "\"a\", \"b\"", as torch lists names.
std::string quoted(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "\"" : ", \"") + name + "\"";
  return text;
}

// What a strict load of timm stumbles over. Theirs is not strict at all once the classifier or the
// stem was left out; here it stays strict for everything else. torch itself does not miss counters
// of batches in files of before they were written.
void judge_timm(const Fitted& fitted, bool head_alone) {
  std::vector<std::string> missing;
  for (const std::string& name : without_counters(fitted.missing))
    if (fitted.excused.count(name) == 0) missing.push_back(name);
  // A file for a head may have the whole network.
  const std::vector<std::string> unexpected =
      head_alone ? std::vector<std::string>() : fitted.unexpected;
  if (missing.empty() && unexpected.empty()) return;
  std::string text = "Error(s) in loading state_dict:";
  if (!missing.empty()) text += "\n\tMissing key(s) in state_dict: " + quoted(missing) + ". ";
  if (!unexpected.empty())
    text += "\n\tUnexpected key(s) in state_dict: " + quoted(unexpected) + ". ";
  fail(VISSL_E_CONFIG, text + "\nset strict = false of [model.weights_init] to load what fits");
}

// The "3" of these lines is theirs, whatever the file has.
void say_stem(const Stem& stem, bool classic, const WeightsPlan& plan) {
  // Stems of space to depth stand for one channel.
  const std::int64_t channels = stem.from != 3 ? 1 : stem.to;
  if (stem.dropped) {
    plan.message(VISSL_LOG_WARNING,
                 classic ? "Deleting first conv (" + stem.name + ") from pretrained weights."
                         : "Unable to convert pretrained " + stem.name +
                               " weights, using random init for this layer.");
  } else if (!classic) {
    plan.message(VISSL_LOG_INFO, "Converted input conv " + stem.name +
                                     " pretrained weights from 3 to " + std::to_string(channels) +
                                     " channel(s)");
  } else if (channels == 1) {
    plan.message(VISSL_LOG_INFO, "Converting first conv (" + stem.name +
                                     ") pretrained weights from 3 to 1 channel");
  } else {
    plan.message(VISSL_LOG_INFO,
                 "Repeating first conv (" + stem.name + ") weights in channel dim.");
  }
}

void say_timm(const Settings& settings, const Targets& targets, const WeightsPlan& plan,
              const Fitted& fitted) {
  if (settings.strict) judge_timm(fitted, targets.places().empty());
  if (fitted.stem) say_stem(*fitted.stem, settings.system == System::timm_classic, plan);
  std::vector<Mismatch> untold = fitted.mismatches;
  if (fitted.stem && fitted.stem->dropped)
    untold.erase(
        std::remove_if(untold.begin(), untold.end(),
                       [&](const Mismatch& m) { return m.name == fitted.stem->name + ".weight"; }),
        untold.end());
  tell_dropped(untold, plan);
  std::vector<std::string> missing = fitted.missing;
  for (const Mismatch& m : fitted.mismatches) missing.push_back(m.name);
  if (!missing.empty())
    plan.message(VISSL_LOG_INFO,
                 "Missing keys (" + joined(missing) +
                     ") discovered while loading pretrained weights. This is expected if model is "
                     "being adapted.");
  if (!fitted.unexpected.empty())
    plan.message(VISSL_LOG_WARNING,
                 "Unexpected keys (" + joined(fitted.unexpected) +
                     ") found while loading pretrained weights. This may be expected if model is "
                     "being adapted.");
}

void say_detectron2(const WeightsPlan& plan, const Fitted& fitted) {
  for (const Mismatch& m : fitted.mismatches)
    plan.message(VISSL_LOG_WARNING,
                 "Skip loading parameter '" + m.name +
                     "' to the model due to incompatible shapes: " + torch_size(m.from->shape) +
                     " in the checkpoint but " + torch_size(m.to->shape) +
                     " in the model! You might want to double check if this is expected.");
  if (!fitted.missing.empty())
    plan.message(VISSL_LOG_WARNING,
                 "Some model parameters or buffers are not found in the checkpoint:\n" +
                     joined(fitted.missing));
  if (!fitted.unexpected.empty())
    plan.message(VISSL_LOG_WARNING,
                 "The checkpoint state_dict contains keys that are not used by the model:\n" +
                     joined(fitted.unexpected));
}

}  // namespace

void plan_system(const Settings& settings, const WeightsPlan& plan, Recipes& recipes) {
  const Rules& rules = rules_of(settings.system);
  Names names = opened(settings, plan, rules);
  const Targets targets(plan);
  rename_all(settings, rules, targets, names);
  if (!settings.remap) names = filtered(std::move(names), settings.filters, targets);
  const Fit fit = settings.remap        ? by_position(names, targets)
                  : settings.heuristics ? by_endings(names, targets, plan)
                                        : with_heads(placed(settings, names, targets, plan), names,
                                                     targets, settings.classifier);
  Fitted fitted = carry_out(fit, names, settings, targets, plan, recipes);
  switch (settings.system) {
    case System::essmc2:
      if (settings.strict) judge_strict(fitted);
      say_essmc2(settings, plan, fitted);
      break;
    case System::mmcv:
    case System::vis4d:
      fitted.missing = without_counters(std::move(fitted.missing));
      say_mmcv(settings, plan, fitted);
      break;
    case System::detectron2:
      if (settings.strict) judge_strict(fitted);
      say_detectron2(plan, fitted);
      break;
    default:
      say_timm(settings, targets, plan, fitted);
  }
}

}  // namespace pretrained
