#include "key_use.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

using namespace vissl;

namespace pretrained {

namespace {

const std::vector<std::string> kTimm = {"timm", "timm-classic", "auto"};
const std::vector<std::string> kSystems = {"essmc2", "timm",  "timm-classic",
                                           "mmcv",   "vis4d", "detectron2"};
const std::vector<std::string> kAllButVissl = {"essmc2", "timm",       "timm-classic", "mmcv",
                                               "vis4d",  "detectron2", "auto"};

// Keys that some profiles do not read. All others are read by all, or accepted and not needed.
struct KeyUse {
  const char* key;
  const std::vector<std::string>& profiles;
  const char* remedy;  // for the other profiles
};
const KeyUse kKeyUses[] = {
    {"sub_level", kAllButVissl, "state_dict_key_name opens a branch of the file"},
    {"prefix", kAllButVissl, "state_dict_key_name opens a branch of the file"},
    {"rev_keys", kAllButVissl, "remove_prefix and append_prefix change names"},
    {"revise_keys", kAllButVissl, "remove_prefix and append_prefix change names"},
    {"use_ema", kTimm, "state_dict_key_name opens the averaged weights, or the trained ones"},
    {"label_offset", kTimm, "label_rows lists the rows, with every profile but VISSL's"},
    {"label_rows", kAllButVissl, "profile = \"auto\" reads VISSL's files too"},
    {"label_rows_file", kAllButVissl, "profile = \"auto\" reads VISSL's files too"},
    {"first_conv", kTimm, "no other profile adapts the first convolution"},
    {"classifier", kAllButVissl, "append_prefix says where names go"},
    {"matching_heuristics", kSystems, "it needs a profile that opens a state dict by itself"},
    {"remap", kSystems, "it needs a profile that opens a state dict by itself"},
};

// Pairs of names are found without them.
constexpr const char* kUnreadForPairs[] = {"append_prefix", "label_offset", "label_rows",
                                           "label_rows_file", "classifier"};

// Whether the user asks for something by it: not absent, empty, zero or off. Averages are wanted
// unless use_ema says otherwise, so that both of its values ask for something.
bool is_set(const Config& c, const std::string& key) {
  const std::optional<Config> value = c.find(key);
  if (!value) return false;
  if (key == "use_ema") return true;
  if (value->is_boolean()) return value->boolean();
  if (value->is_integer()) return value->integer() != 0;
  if (value->is_string()) return !value->string().empty();
  return value->size() > 0;
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i)
    text += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
  return text;
}

}  // namespace

void refuse_unread_keys(const Config& c) {
  const std::string profile = c.string("profile");
  for (const KeyUse& use : kKeyUses) {
    const auto& readers = use.profiles;
    if (!is_set(c, use.key) || std::find(readers.begin(), readers.end(), profile) != readers.end())
      continue;
    fail(VISSL_E_CONFIG, std::string(use.key) + " of [model.weights_init] is not read by profile " +
                             "= \"" + profile + "\", only by " + listed(readers) + "; " +
                             use.remedy);
  }
  for (const char* pairs : {"matching_heuristics", "remap"})
    if (is_set(c, pairs)) refuse_unread_for_pairs(c, std::string(pairs) + " = true");
}

void refuse_unread_for_pairs(const Config& c, const std::string& pairs) {
  for (const char* key : kUnreadForPairs)
    if (is_set(c, key))
      fail(VISSL_E_CONFIG, std::string(key) + " of [model.weights_init] is not read with " + pairs +
                               ", which pairs all names by itself; keep one");
}

}  // namespace pretrained
