#include "fit.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include "adapt.hpp"
#include "window.hpp"

using namespace vissl;

namespace pretrained {

namespace {

constexpr const char* kClassifiers[] = {
    "fc", "head.fc", "head", "classifier", "linear", "heads.head", "pred", "cls_head.fc", "proj"};
constexpr const char* kFirstConvs[] = {
    "conv1",          "conv1.0",      "stem.conv", "stem.conv1", "conv_stem", "patch_embed.proj",
    "features.conv0", "conv1.stem.0", "stem.0",    "conv_proj"};
constexpr std::int64_t kBackgroundClasses = 1001;
constexpr const char* kOwnBuffer = "the model computes it from its window";

bool is_one_of(const std::string& name, const std::vector<std::string>& wanted) {
  return std::find(wanted.begin(), wanted.end(), name) != wanted.end();
}

// "fc" of "module.fc.weight" when the trunk's names begin with "module."; empty = it is no
// classifier.
std::string classifier_of(const std::string& name, const std::string& from,
                          const std::vector<std::string>& wanted) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string::npos) return "";
  const std::string module = name.substr(0, dot), leaf = name.substr(dot + 1);
  if (leaf != "weight" && leaf != "bias") return "";
  // Beside the trunk, or above it: "backbone.conv1" has its classifier at "head.fc".
  std::vector<std::string> places = {from};
  for (std::size_t at = from.find('.'); at != std::string::npos; at = from.find('.', at + 1))
    places.push_back(from.substr(0, at + 1));
  places.emplace_back();
  static const std::vector<std::string> known(std::begin(kClassifiers), std::end(kClassifiers));
  for (const std::string& place : places)
    for (const std::string& layer : wanted.empty() ? known : wanted)
      if (module == place + layer) return module;
  return "";
}

// The first convolution, by its name without the trunk's beginning.
bool is_first_conv(const std::string& name, const Fit& fit, const Settings& settings) {
  const std::string suffix = ".weight";
  if (name.size() <= suffix.size() ||
      name.compare(name.size() - suffix.size(), suffix.size(), suffix) != 0)
    return false;
  const std::string module = name.substr(0, name.size() - suffix.size());
  const bool inside = starts_with(module, fit.trunk.from);
  const std::string rest = inside ? module.substr(fit.trunk.from.size()) : module;
  if (!settings.first_conv.empty())
    return is_one_of(module, settings.first_conv) || is_one_of(rest, settings.first_conv);
  if (!inside) return false;
  for (const char* known : kFirstConvs)
    if (rest == known) return true;
  return false;
}

bool is_timm(System system) {
  return system == System::timm || system == System::timm_classic;
}

// Whether tensors of another shape are adapted, as timm does it.
bool adapts(System system) {
  return is_timm(system) || system == System::autodetect;
}

// "fc" of "fc.weight".
std::string layer_of(const std::string& name) {
  return name.substr(0, std::min(name.rfind('.'), name.size()));
}

struct Decision {
  enum class Kind { load, adapt, drop_shape, drop_dtype } kind = Kind::load;
  FormulaPtr tensor = nullptr;  // of adapt
};

class Decider {
 public:
  Decider(const Fit& fit, const Settings& settings, Fitted& fitted)
      : fit_(fit), settings_(settings), fitted_(fitted) {}

  Decision decide(const Named& named, const WeightsEntry& to) {
    Decision decision = by_shape(named, to);
    const bool kept =
        decision.kind == Decision::Kind::load || decision.kind == Decision::Kind::adapt;
    if (kept && settings_.drop_dtypes && dtype_of(*named.tensor) != to.dtype)
      return {Decision::Kind::drop_dtype};
    return decision;
  }

  // Whether the tensor belongs to a classifier or a stem that was left out.
  bool dropped(const WeightsEntry& target) const {
    return dropped_.count(layer_of(target.name)) > 0;
  }

 private:
  Decision by_shape(const Named& named, const WeightsEntry& to) {
    const std::string& name = named.name;
    const bool head = fit_.heads.count(name) > 0;
    if (head && !settings_.label_rows.empty()) return listed_rows(named, to);
    if (head && settings_.label_offset > 0 && named.shape() == to.shape)
      fail(VISSL_E_CONFIG,
           "label_offset = " + std::to_string(settings_.label_offset) + " leaves fewer rows of '" +
               name + "' " + torch_size(named.shape()) + " than '" + to.name +
               "' of the model has; set it to 0, or change the classes of the head");
    if (named.shape() == to.shape) return {Decision::Kind::load};
    if (fits(named.shape(), to.shape) && !named.is_made()) return {Decision::Kind::load};
    if (fits(named.shape(), to.shape) || fit_.reshapes)
      return {Decision::Kind::adapt, reshaped(named.tensor, to.shape, "reshaped")};
    const bool adapting = adapts(settings_.system);
    if (adapting) {
      FormulaPtr tensor = adapted(named, to);
      const bool stem = is_first_conv(name, fit_, settings_);
      if (stem && (tensor == nullptr || named.shape().size() == to.shape.size()))
        fitted_.stem = {layer_of(name), channels(named.shape()), channels(to.shape),
                        tensor == nullptr};
      if (tensor != nullptr) return {Decision::Kind::adapt, std::move(tensor)};
      if ((head || stem) && !settings_.refuse_shapes) {
        dropped_.insert(layer_of(to.name));
        return {Decision::Kind::drop_shape};
      }
    }
    if (adapting && is_window_bias(to.name) && !settings_.drop_shapes)
      fail(VISSL_E_CONFIG, "Unable to resize relative positions: '" + name + "' " +
                               torch_size(named.shape()) + " to '" + to.name + "' " +
                               torch_size(to.shape) + ": " +
                               why_no_window(named.shape(), to.shape) +
                               "; change the model, list the layer in skip_layers, or set "
                               "shape_mismatch = \"drop\"");
    if (!settings_.drop_shapes)
      fail(VISSL_E_CONFIG, "size mismatch for " + name + ": copying a param with shape " +
                               torch_size(named.shape()) +
                               " from checkpoint, the shape in current "
                               "model is " +
                               torch_size(to.shape) + " ('" + to.name +
                               "'); change the model, list the layer in skip_layers, or set "
                               "shape_mismatch = \"drop\"");
    return {Decision::Kind::drop_shape};
  }
  static std::int64_t channels(const std::vector<std::int64_t>& shape) {
    return shape.size() > 1 ? shape[1] : 0;
  }
  FormulaPtr adapted(const Named& named, const WeightsEntry& to) const {
    const FormulaPtr& from = named.tensor;
    if (fit_.heads.count(named.name) > 0) {
      if (named.shape().empty() || to.shape.empty()) return nullptr;
      const bool background =
          named.shape()[0] == kBackgroundClasses && to.shape[0] == named.shape()[0] - 1;
      return fewer_rows(from, to.shape,
                        settings_.label_offset > 0 ? settings_.label_offset
                        : background               ? 1
                                                   : 0);
    }
    if (is_first_conv(named.name, fit_, settings_)) {
      if (FormulaPtr patches = linear_patches(from, to.shape)) return patches;
      return other_channels(from, to.shape);
    }
    if (named.name.find("pos_embed") != std::string::npos ||
        to.name.find("pos_embed") != std::string::npos)
      return other_grid(from, to.shape, settings_.system != System::autodetect);
    if (is_window_bias(to.name)) return other_window(from, to.shape);
    return nullptr;
  }
  Decision listed_rows(const Named& named, const WeightsEntry& to) const {
    FormulaPtr rows = chosen_rows(named.tensor, to.shape, settings_.label_rows);
    if (rows != nullptr) return {Decision::Kind::adapt, std::move(rows)};
    fail(VISSL_E_CONFIG, "label_rows lists " + std::to_string(settings_.label_rows.size()) +
                             " rows, the largest is " +
                             std::to_string(*std::max_element(settings_.label_rows.begin(),
                                                              settings_.label_rows.end())) +
                             "; they do not make " + torch_size(to.shape) + " of " +
                             torch_size(named.shape()) + " ('" + named.name + "')");
  }

  const Fit& fit_;
  const Settings& settings_;
  Fitted& fitted_;
  std::set<std::string> dropped_;  // layers of the model
};

// Tokens that a trunk without a place for them would lose in silence.
bool is_further_token(const std::string& name) {
  for (const char* token : {"register_tokens", "reg_token", "dist_token"})
    if (ends_with(name, token)) return true;
  return false;
}

// Rows that are chosen of a classifier which is not there would be passed over in silence.
void judge_rows(const Fit& fit, const Settings& settings, const Targets& targets) {
  if (settings.label_rows.empty() && settings.label_offset == 0) return;
  const bool has_head =
      std::any_of(targets.all().begin(), targets.all().end(),
                  [](const WeightsEntry& target) { return starts_with(target.name, "heads."); });
  if (!has_head || !settings.heads || !fit.heads.empty()) return;
  fail(VISSL_E_CONFIG,
       std::string(settings.label_rows.empty() ? "label_offset" : "label_rows") +
           " of [model.weights_init] chooses rows of the file's classifier, which was not found; "
           "say with classifier which layer it is");
}

}  // namespace

std::string Fit::target(const std::string& name) const {
  const auto pair = pairs.find(name);
  if (pair != pairs.end()) return pair->second;
  const auto head = heads.find(name);
  if (head != heads.end()) return head->second;
  return trunk.map == nullptr ? "" : trunk.target(name);
}

std::string Fit::spelled(const std::string& target) const {
  for (const auto& [name, head] : heads)
    if (head == target) return name;
  if (trunk.map == &same_names() && starts_with(target, trunk.to))
    return trunk.from + target.substr(trunk.to.size());
  return target;
}

namespace {

// The model's own names of heads, as VISSL's files have them, below what is above the trunk.
std::map<std::string, std::string> named_heads(const std::string& from, const Names& names,
                                               const Targets& targets) {
  for (std::size_t end = from.size();;) {
    const std::string base = from.substr(0, end);
    std::map<std::string, std::string> heads;
    for (const Named& named : names) {
      if (!starts_with(named.name, base)) continue;
      const std::string name = named.name.substr(base.size());
      if (starts_with(name, "heads.") && targets.find(name) != nullptr) heads[named.name] = name;
    }
    if (!heads.empty() || end == 0) return heads;
    const std::size_t dot = end < 2 ? std::string::npos : from.rfind('.', end - 2);
    end = dot == std::string::npos ? 0 : dot + 1;
  }
}

}  // namespace

Fit with_heads(const Placement& trunk, const Names& names, const Targets& targets,
               const std::vector<std::string>& wanted) {
  Fit fit;
  fit.trunk = trunk;
  if (wanted.empty()) fit.heads = named_heads(trunk.from, names, targets);
  if (!fit.heads.empty()) return fit;
  // The classifier is the one linear layer of the only head.
  std::string head;
  for (const WeightsEntry& target : targets.all()) {
    if (!starts_with(target.name, "heads.") || target.shape.size() != 2) continue;
    if (!head.empty()) return fit;
    head = target.name.substr(0, target.name.rfind('.') + 1);
  }
  std::set<std::string> modules;
  bool found = false;
  for (const Named& named : names) {
    const std::string module = classifier_of(named.name, trunk.from, wanted);
    found = found || !module.empty();
    if (module.empty() || targets.find(trunk.target(named.name)) != nullptr) continue;
    if (named.name == module + ".weight" && named.shape().size() < 2) continue;
    modules.insert(module);
    if (head.empty())
      fit.no_heads.push_back(named.name);
    else
      fit.heads[named.name] = head + named.name.substr(module.size() + 1);
  }
  if (!found && !wanted.empty())
    fail(VISSL_E_CONFIG, "classifier of [model.weights_init] names '" + joined(wanted) +
                             "', which is no layer of the file beside the trunk; its names begin "
                             "with '" +
                             names.front().name + "'");
  if (modules.size() > 1) {  // which one is meant is the user's to say
    if (!head.empty()) fit.rivals.assign(modules.begin(), modules.end());
    fit.heads.clear();
    fit.no_heads.clear();
  }
  return fit;
}

Placement without_trunk(const Names& names) {
  Placement place;
  place.map = &same_names();
  place.from = names.front().name;
  for (const Named& named : names) {
    const auto differ =
        std::mismatch(place.from.begin(), place.from.end(), named.name.begin(), named.name.end());
    place.from.erase(differ.first, place.from.end());
  }
  place.from.erase(place.from.rfind('.') + 1);
  return place;
}

void judge_strict(const Fitted& fitted) {
  const std::vector<std::string>& random = fitted.random;
  if (random.empty()) return;
  const bool one = random.size() == 1;
  fail(VISSL_E_CONFIG, std::to_string(random.size()) + " tensor" + (one ? "" : "s") +
                           " of the model " + (one ? "stays" : "stay") + " as initialised: " +
                           joined(random).substr(0, 400) + "; list " + (one ? "it" : "them") +
                           " in skip_layers, or set strict = false of [model.weights_init]");
}

Fitted carry_out(const Fit& fit, const Names& names, const Settings& settings,
                 const Targets& targets, const WeightsPlan& plan, Recipes& recipes) {
  judge_rows(fit, settings, targets);
  Fitted fitted;
  Decider decider(fit, settings, fitted);
  const bool own_buffers = adapts(settings.system);
  std::set<std::string> met;
  Names loaded;
  for (const Named& named : names) {
    if (own_buffers && is_window_buffer(named.name)) {
      ignore(named, kOwnBuffer, plan);
      continue;
    }
    const std::string name = fit.target(named.name);
    const WeightsEntry* target = targets.find(name);
    if (target == nullptr) continue;
    met.insert(name);
    const bool head = starts_with(name, "heads.");
    if (!skipped_by(settings.skip, name).empty() || (head && !settings.heads)) {
      ignore(named, "its target is left out", plan);
      continue;
    }
    Decision decision = decider.decide(named, *target);
    if (decision.kind == Decision::Kind::load || decision.kind == Decision::Kind::adapt) {
      Named chosen = named;
      if (decision.tensor != nullptr) chosen.tensor = std::move(decision.tensor);
      load(chosen, *target, plan, recipes);
      loaded.push_back(std::move(chosen));
    } else {
      const bool shape = decision.kind == Decision::Kind::drop_shape;
      fitted.mismatches.push_back({named.name, named.tensor, target, shape});
      fitted.random.push_back(target->name);
      ignore(named, shape ? other_shape(named, *target) : "another element type than the model's",
             plan);
    }
  }
  tell_filters(loaded, plan);
  if (!fit.rivals.empty() && settings.heads)
    plan.message(VISSL_LOG_WARNING, "weights: " + joined(fit.rivals) +
                                        " of the file could each be the classifier, so that none "
                                        "is loaded; say which, as in classifier = [\"" +
                                        fit.rivals.front() + "\"]");
  // timm's num_classes = 0: the file's classifier is left out.
  const bool leaves_heads = is_timm(settings.system) && !fit.no_heads.empty();
  fitted.unexpected = unused(names, [&](const Named& named) {
    return (own_buffers && is_window_buffer(named.name)) ||
           targets.find(fit.target(named.name)) != nullptr ||
           (leaves_heads && is_one_of(named.name, fit.no_heads));
  });
  for (const std::string& name : fitted.unexpected)
    if (is_further_token(name))
      plan.message(VISSL_LOG_WARNING,
                   "weights: the trunk has no place for '" + name +
                       "': its features will not be those of the network that was saved");
  for (const std::string& name : fitted.unexpected)
    if (ends_with(name, "fc_norm.weight"))
      plan.message(VISSL_LOG_WARNING,
                   "weights: '" + name +
                       "' of the file normalises the mean of its tokens, but the trunk takes the "
                       "class token: its features will not be those of the network that was saved");
  for (const WeightsEntry& target : targets.all()) {
    const std::string layer = skipped_by(settings.skip, target.name);
    const bool head = starts_with(target.name, "heads.");
    if (!layer.empty()) {
      plan.skip_target(target.name, "skip_layers has '" + layer + "'");
    } else if (head && !settings.heads) {
      plan.skip_target(target.name, "heads are not loaded when features are evaluated");
    } else if (own_buffers && is_window_buffer(target.name)) {
      plan.skip_target(target.name, kOwnBuffer);
    } else if (met.count(target.name) == 0) {
      fitted.missing.push_back(fit.spelled(target.name));
      if (!is_counter(target.name)) fitted.random.push_back(target.name);
      if (decider.dropped(target)) fitted.excused.insert(fitted.missing.back());
    }
  }
  return fitted;
}

}  // namespace pretrained
