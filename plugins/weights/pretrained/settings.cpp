#include "settings.hpp"

#include <algorithm>
#include <fstream>

#include "filters.hpp"
#include "key_use.hpp"

using namespace vissl;

namespace pretrained {

namespace {

struct SystemName {
  const char* name;
  System system;
};
constexpr SystemName kSystems[] = {
    {"vissl", System::vissl}, {"vissl-0.1.6", System::vissl_0_1_6},   {"essmc2", System::essmc2},
    {"timm", System::timm},   {"timm-classic", System::timm_classic}, {"mmcv", System::mmcv},
    {"vis4d", System::vis4d}, {"detectron2", System::detectron2},     {"auto", System::autodetect},
};

// What the systems call the file.
struct FileName {
  const char* key;
  const char* doc;
};
constexpr FileName kFileNames[] = {
    {"params_file", "The weights file: a path, an URL or another locator."},
    {"path", "params_file, as EssentialMC2 calls it."},
    {"url", "params_file, as timm's configs call it."},
    {"file", "params_file, as timm's configs call a local one."},
    {"checkpoint_path", "params_file, as timm's create_model calls it."},
    {"weights", "params_file, as vis4d calls it."},
    {"filename", "params_file, as mmcv's load_checkpoint calls it."},
    {"checkpoint", "params_file, as mmcv's init_cfg calls it."},
};

std::string locator_of(const Config& c) {
  std::string found, by;
  for (const FileName& name : kFileNames) {
    const std::optional<Config> value = c.find(name.key);
    if (!value) continue;
    if (!by.empty())
      fail(VISSL_E_CONFIG, "both " + by + " and " + name.key + " name the weights file; keep one");
    found = value->string();
    by = name.key;
  }
  // timm's older function warns of a model that has no address, and goes on.
  if (found.empty() && c.string("profile") != "timm-classic")
    fail(VISSL_E_CONFIG, "params_file of [model.weights_init] is missing: the file to load");
  return found;
}

// Refuses keys that the profile does not read, before any of them is looked at.
System system_of(const Config& c) {
  refuse_unread_keys(c);
  const std::string name = c.string("profile");
  for (const SystemName& known : kSystems)
    if (name == known.name) return known.system;
  fail(VISSL_E_CONFIG, "no profile is called '" + name + "'");
}

void add_rules(const Config& c, const char* key, std::vector<Rule>& rules) {
  const std::optional<Config> list = c.find(key);
  if (!list) return;
  for (const Config& rule : list->list()) {
    const std::vector<std::string> pair =
        rule.is_list() ? rule.strings() : std::vector<std::string>();
    if (pair.size() != 2)
      fail(VISSL_E_CONFIG, std::string(key) +
                               " is a list of pairs [pattern, replacement], e.g. "
                               "[[\"^module\\\\.\", \"\"]]");
    rules.emplace_back(pair[0], pair[1]);
  }
}

std::string with_dot(std::string prefix) {
  if (!prefix.empty() && prefix.back() != '.') prefix += '.';
  return prefix;
}

std::string sub_level_of(const Config& c) {
  const std::string sub_level = c.string("sub_level"), prefix = c.string("prefix");
  if (!sub_level.empty() && !prefix.empty())
    fail(VISSL_E_CONFIG, "sub_level and prefix are the same setting; keep one");
  return with_dot(sub_level.empty() ? prefix : sub_level);
}

bool drops(const Config& c, const char* key, bool by_default) {
  const std::optional<Config> policy = c.find(key);
  return policy ? policy->string() == "drop" : by_default;
}

// "x.pkl?matching_heuristics=True", as Detectron2 spells it: takes the word off the locator.
std::optional<bool> take_heuristics(std::string& locator) {
  static const std::string word = "matching_heuristics=";
  const std::size_t fragment = std::min(locator.find('#'), locator.size());
  const std::size_t at = locator.find(word);
  if (at == std::string::npos || at == 0 || at > fragment) return std::nullopt;
  if (locator[at - 1] != '?' && locator[at - 1] != '&') return std::nullopt;
  const std::size_t end = std::min(locator.find('&', at), fragment);
  const std::string value = locator.substr(at + word.size(), end - at - word.size());
  if (value != "True" && value != "False")
    fail(VISSL_E_CONFIG,
         "matching_heuristics of '" + locator + "' is True or False, not '" + value + "'");
  const bool has_more = end < fragment;  // "?a=1&matching_heuristics=True&b=2"
  locator.erase(has_more ? at : at - 1, end - at + 1);
  return value == "True";
}

// One number per line; empty lines and what follows a '#' do not count.
std::vector<std::int64_t> rows_of(const std::string& path) {
  std::ifstream file(path);
  if (!file)
    fail(VISSL_E_DATA, path + ": cannot be read; label_rows_file names it, check its path");
  std::vector<std::int64_t> rows;
  std::string line;
  for (std::size_t number = 1; std::getline(file, line); ++number) {
    line.erase(std::min(line.find('#'), line.size()));
    line.erase(line.find_last_not_of(" \t\r") + 1);
    if (line.empty()) continue;
    if (line.size() > 12 || line.find_first_not_of("0123456789") != std::string::npos)
      fail(VISSL_E_DATA, path + ":" + std::to_string(number) + ": '" + line.substr(0, 40) +
                             "' is no number of a row; there is one per line, from 0");
    rows.push_back(std::stoll(line));
  }
  if (rows.empty()) fail(VISSL_E_DATA, path + ": lists no rows; there is one per line, from 0");
  return rows;
}

std::vector<std::int64_t> label_rows_of(const Config& c) {
  const std::optional<Config> file = c.find("label_rows_file");
  std::vector<std::int64_t> rows = c.integers("label_rows");
  const int given = (file ? 1 : 0) + (rows.empty() ? 0 : 1) + (c.integer("label_offset") > 0);
  if (given > 1)
    fail(VISSL_E_CONFIG,
         "label_rows, label_rows_file and label_offset all choose rows of the classifier; keep "
         "one");
  return file ? rows_of(file->string()) : rows;
}

std::vector<std::string> filters_of(const Config& c, System system) {
  const auto wanted = c.find("filters");
  if (!wanted) {
    if (system == System::vissl || system == System::vissl_0_1_6) return {"weight_norm"};
    const bool all =
        system == System::timm || system == System::timm_classic || system == System::autodetect;
    return all ? filter_names() : std::vector<std::string>();
  }
  const std::vector<std::string> names = wanted->strings();
  const std::vector<std::string>& known = filter_names();
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    std::string list;
    for (const std::string& other : known) list += (list.empty() ? "" : ", ") + other;
    fail(VISSL_E_CONFIG, "no filter is called '" + name + "'; there are " + list);
  }
  return names;
}

}  // namespace

std::string place_of(const Config& key) {
  std::string place;
  if (key.is_list()) {
    for (const std::string& level : key.strings()) place += level + ".";
  } else if (!key.string().empty()) {
    place = key.string() + ".";
  }
  return place;
}

void Settings::params(Params& p) {
  p.vissl_prefix("MODEL.WEIGHTS_INIT");
  p.string("profile", "vissl",
           one_of("vissl", "vissl-0.1.6", "essmc2", "timm", "timm-classic", "mmcv", "vis4d",
                  "detectron2", "auto"),
           "The system whose rules hold. auto: the wrapper, prefix and names that fit best.")
      .vissl("");
  for (const FileName& name : kFileNames) {
    Params::Entry& param = p.path(name.key, optional, name.doc);
    if (std::string(name.key) != "params_file") param.vissl("");
  }
  p.any("state_dict_key_name", optional,
        "Where the state dict is in the file: a name, a list of names, or \"\" for the top. "
        "Default: "
        "\"classy_state_dict\" with VISSL's profiles, otherwise what the profile looks for.")
      .accepts("a string or a list of strings");
  p.strings("skip_layers", optional,
            "Tensors of the model whose names contain one of these stay as initialised; also "
            "\"glob:heads.*\" for whole names and \"re:^fc\" for Python's expressions. "
            "Default: [\"num_batches_tracked\"] with VISSL's profiles, otherwise none.");
  p.string("remove_prefix", "", "Cut off from names of the file that begin with it.");
  p.string("append_prefix", "",
           "Put before all names of the file, e.g. \"trunk._feature_blocks.\". Other profiles than "
           "VISSL's find it themselves; auto then finds what to cut off before.");
  p.string("sub_level", "",
           "Only this branch of the file's names, without its name (EssentialMC2).")
      .vissl("");
  p.string("prefix", "", "sub_level, as mmcv calls it.").vissl("");
  p.any("rev_keys", optional,
        "Pairs [pattern, replacement], regular expressions of Python, applied in order to every "
        "name (vis4d). Default: [[\"^module\\\\.\", \"\"]].")
      .accepts("a list of pairs of strings")
      .vissl("");
  p.any("revise_keys", optional, "rev_keys, as mmcv calls it.")
      .accepts("a list of pairs of strings")
      .vissl("");
  p.boolean("strict", optional,
            "Every tensor of the model must be in the file. Default: what the profile does; timm's "
            "is strict.")
      .vissl("");
  p.string("map_location", "cpu", "Accepted and not needed: weights are read where they are used.")
      .vissl("");
  p.boolean("use_ema", optional,
            "Whether averaged weights are preferred to the trained ones beside them. Default: true "
            "with timm's profiles; auto takes the trained ones, but a teacher before its student.")
      .vissl("");
  p.string("shape_mismatch", optional, one_of("error", "drop"),
           "Tensors of another shape than the model's. Default: what the profile does.")
      .vissl("");
  p.string("dtype_mismatch", "cast", one_of("cast", "drop"),
           "Tensors of another element type than the model's; EssentialMC2 itself drops them.")
      .vissl("");
  p.integer("label_offset", 0, at_least(0),
            "Rows before the first class in the file's classifier (timm).")
      .vissl("");
  p.integers("label_rows", std::vector<std::int64_t>{}, at_least(0),
             "Rows of the file's classifier that the model's classes are, in order; empty = all.")
      .vissl("");
  p.path("label_rows_file", optional, "A text file with label_rows, one number per line.")
      .vissl("");
  p.strings("filters", optional,
            "Which forms of other systems are translated: jax, clip, qkv, layer_scale, "
            "mask_token, weight_norm. Default: all with timm's profiles and auto, weight_norm with "
            "VISSL's.")
      .vissl("");
  p.boolean("matching_heuristics", optional,
            "Tensors of the model take the longest name of the file that theirs ends with "
            "(Detectron2). A locator may ask for it too: x.pkl?matching_heuristics=True.")
      .vissl("");
  p.boolean("remap", false,
            "The file's tensors go to the model's in their order, whatever they are called (timm).")
      .vissl("");
  const std::vector<std::string> none;
  p.strings("first_conv", none,
            "Names of the first convolution in the file; empty = the usual ones.")
      .vissl("");
  p.strings("classifier", none, "Names of the classifier in the file; empty = the usual ones.")
      .vissl("");
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

Settings::Settings(const Config& c)
    : system(system_of(c)),
      locator(locator_of(c)),
      remove(c.string("remove_prefix")),
      append(c.string("append_prefix")),
      sub_level(sub_level_of(c)),
      drop_dtypes(drops(c, "dtype_mismatch", false)),
      label_offset(c.integer("label_offset")),
      label_rows(label_rows_of(c)),
      filters(filters_of(c, system)),
      remap(c.boolean("remap")),
      first_conv(c.strings("first_conv")),
      classifier(c.strings("classifier")),
      heads(!c.boolean("eval_mode_on") || c.boolean("eval_trunk_and_head")),
      same_head_shapes(c.boolean("assert_head_layer_shape_init")) {
  if (const auto averages = c.find("use_ema")) use_ema = averages->boolean();
  const bool vissl = system == System::vissl || system == System::vissl_0_1_6;
  const std::optional<bool> asked = take_heuristics(locator);
  const auto heuristic = c.find("matching_heuristics");
  heuristics = heuristic ? heuristic->boolean() : asked.value_or(false);
  if (heuristics) refuse_unread_for_pairs(c, "matching_heuristics = true");
  if (heuristics && (vissl || system == System::autodetect))
    fail(VISSL_E_CONFIG,
         "matching_heuristics needs a profile that opens a state dict by itself, e.g. "
         "\"detectron2\" or \"timm\"");
  if (const auto layers = c.find("skip_layers"))
    for (const std::string& entry : layers->strings()) skip.emplace_back(entry);
  else if (vissl)
    skip.emplace_back("num_batches_tracked");
  if (const auto value = c.find("state_dict_key_name")) key = place_of(*value);
  add_rules(c, "rev_keys", rules);
  add_rules(c, "revise_keys", rules);
  has_rules = c.find("rev_keys").has_value() || c.find("revise_keys").has_value();
  const bool lenient = system == System::essmc2 || system == System::mmcv ||
                       system == System::vis4d || system == System::detectron2;
  drop_shapes = drops(c, "shape_mismatch", lenient);
  refuse_shapes = c.find("shape_mismatch").has_value() && !drop_shapes;
  const auto wanted = c.find("strict");
  strict = wanted ? wanted->boolean() : system == System::timm || system == System::timm_classic;
}

}  // namespace pretrained
