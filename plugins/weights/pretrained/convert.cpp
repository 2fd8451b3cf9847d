#include "convert.hpp"

#include <vissl/run.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "conversion_heads.hpp"
#include "conversion_systems.hpp"
#include "names.hpp"

using namespace vissl;

namespace pretrained {

namespace {

// Where a file keeps a trunk, and in whose names.
struct Found {
  const Spelling* spelling = nullptr;
  std::string prefix;  // "state_dict.module."
  std::int64_t elements = 0;
  std::size_t tensors = 0;
};

bool has_part(const std::string& name, const std::string& part) {
  return part.empty() || starts_with(name, part + ".");
}

// Caffe2's jigsaw networks have a tower for each tile, all alike: "_s0_" of the first one goes, the
// other towers give an empty name.
std::string without_tower(const std::string& name) {
  for (char tower = '0'; tower <= '8'; ++tower) {
    const std::string tag = std::string("_s") + tower + "_";
    const std::size_t at = name.find(tag);
    if (at == std::string::npos) continue;
    if (tower != '0') return "";
    return name.substr(0, at) + name.substr(at + tag.size() - 1);
  }
  return name;
}

// The name in the file without the place before it, as the system itself writes it.
std::string bare(const Found& found, const std::string& name) {
  const std::string rest = name.substr(found.prefix.size());
  return found.spelling->has_towers ? without_tower(rest) : rest;
}

// Our name for a tensor of the trunk; empty when it is none.
std::string ours_of(const Spelling& spelling, const std::string& rest) {
  const std::string name = spelling.has_towers ? without_tower(rest) : rest;
  if (name.empty()) return "";
  const std::string ours = spelling.map->rename(name);
  return ours.empty() || !is_trunk_name(spelling.family, ours) ? "" : ours;
}

Found find_trunk(const WeightsRenames& renames) {
  const std::string from = renames.from(), part = renames.part();
  std::vector<Found> all;
  Twins twins;
  for (const Spelling& spelling : spellings()) {
    if (!from.empty() && from != spelling.system) continue;
    std::map<std::string, Found> by_prefix;
    for (const WeightsEntry& entry : renames.source()) {
      if (!has_part(entry.name, part)) continue;
      for (std::size_t at = 0, parts = 0;;) {
        const std::string prefix = entry.name.substr(0, at);
        if (!is_counter(entry.name) && !ours_of(spelling, entry.name.substr(at)).empty()) {
          Found& found = by_prefix[prefix];
          found.elements += numel(entry);
          ++found.tensors;
        }
        const std::size_t dot = entry.name.find('.', at);
        if (dot == std::string::npos || ++parts > kDeepestPrefix) break;
        at = dot + 1;
      }
    }
    for (auto& [prefix, found] : by_prefix) {
      if (from.empty() && prefix.find(spelling.marker) == std::string::npos) continue;
      found.spelling = &spelling;
      found.prefix = prefix;
      twins.see(prefix);
      all.push_back(found);
    }
  }
  // Among equals the network that is meant wins before its twin, then the earlier spelling.
  const auto rank = [&twins](const Found& found) {
    return std::tuple(found.tensors, found.elements, !twins.is_lesser(found.prefix));
  };
  const auto best = std::max_element(
      all.begin(), all.end(), [&](const Found& a, const Found& b) { return rank(a) < rank(b); });
  return best == all.end() ? Found() : *best;
}

std::string known_systems(bool as_target) {
  std::vector<std::string> names;
  for (const Spelling& spelling : spellings()) {
    if (as_target && !spelling.is_target) continue;
    if (std::find(names.begin(), names.end(), spelling.system) == names.end())
      names.push_back(spelling.system);
  }
  return joined(names);
}

const Spelling& target_of(const WeightsRenames& renames, const Found& found) {
  for (const Spelling& spelling : spellings())
    if (spelling.is_target && renames.to() == spelling.system &&
        spelling.family == found.spelling->family)
      return spelling;
  fail(VISSL_E_CONFIG, std::string(found.spelling->map->name()) + " are those of " +
                           name_of(found.spelling->family) + ", for which '" + renames.to() +
                           "' has no names");
}

// How many blocks a ResNet's four stages have, and whether they are bottlenecks.
struct Depth {
  int blocks[4] = {};
  bool has_bottlenecks = false;
};

struct KnownDepth {
  int depth;
  int blocks[4];
  bool has_bottlenecks;
};
constexpr KnownDepth kDepths[] = {{18, {2, 2, 2, 2}, false},  {34, {3, 4, 6, 3}, false},
                                  {50, {3, 4, 6, 3}, true},   {101, {3, 4, 23, 3}, true},
                                  {152, {3, 8, 36, 3}, true}, {200, {3, 24, 36, 3}, true}};

void add_block(Depth& depth, const std::string& ours) {
  static const NamePattern block("layer{s}.{b}.*");
  NamePattern::Numbers numbers;
  std::string rest;
  if (!block.match(ours, numbers, rest)) return;
  const int stage = numbers['s'] - 1;
  if (stage < 0 || stage > 3) return;
  depth.blocks[stage] = std::max(depth.blocks[stage], numbers['b'] + 1);
  if (starts_with(rest, "conv3.")) depth.has_bottlenecks = true;
}

void check_depth(const Depth& depth, int wanted) {
  if (wanted == 0) return;
  std::string is;
  for (const KnownDepth& known : kDepths)
    if (std::equal(known.blocks, known.blocks + 4, depth.blocks) &&
        known.has_bottlenecks == depth.has_bottlenecks)
      is = std::to_string(known.depth);
  if (is == std::to_string(wanted)) return;
  std::string blocks;
  for (const int count : depth.blocks)
    blocks += (blocks.empty() ? "" : ", ") + std::to_string(count);
  fail(VISSL_E_CONFIG, "depth " + std::to_string(wanted) +
                           " is wanted, but the file's stages have " + blocks +
                           (depth.has_bottlenecks ? " bottlenecks" : " basic blocks") +
                           (is.empty() ? "" : ", which is depth " + is));
}

bool is_system(const Spelling& spelling, const char* system) {
  return std::strcmp(spelling.system, system) == 0;
}

// Does one conversion.
class Conversion {
 public:
  Conversion(const WeightsRenames& renames, const Found& found, const Spelling& to)
      : renames_(renames), found_(found), from_(*found.spelling), to_(to) {}

  void run() {
    check_blocks();
    name_heads();
    for (const WeightsEntry& entry : renames_.source()) place(entry);
    fill_frozen_norms();
    if (renames_.has(VISSL_WEIGHTS_REVERSE_CHANNELS) && !is_reversed_)
      fail(VISSL_E_CONFIG,
           "the channels are to be reversed, but the file has no first convolution "
           "of three input channels");
    if (to_.has_matching_heuristics) tell_detectron2();
  }

 private:
  void check_blocks() const {
    if (from_.family != Family::resnet) {
      if (renames_.depth() != 0)
        fail(VISSL_E_CONFIG, std::string("a depth is wanted, but the file has ") +
                                 name_of(from_.family) + "; leave out --depth");
      return;
    }
    Depth depth;
    for (const WeightsEntry& entry : renames_.source())
      if (starts_with(entry.name, found_.prefix))
        add_block(depth, ours_of(from_, entry.name.substr(found_.prefix.size())));
    check_depth(depth, renames_.depth());
    if (to_.needs_bottlenecks && !depth.has_bottlenecks)
      fail(VISSL_E_CONFIG, std::string(to_.map->name()) +
                               " are known for bottlenecks only, depths 50, 101 and 152; the file "
                               "has basic blocks");
  }

  void place(const WeightsEntry& entry) {
    if (take_head(entry)) return;
    if (!starts_with(entry.name, found_.prefix))
      return renames_.drop(entry, "not below '" + found_.prefix + "'");
    const std::string rest = bare(found_, entry.name);
    if (rest.empty()) return renames_.drop(entry, "another tower of the jigsaw network");
    if (from_.has_towers && rest.size() > 9 && rest.substr(rest.size() - 9) == "_momentum")
      return renames_.drop(entry, "the optimizer's momentum");
    const std::string ours = from_.map->rename(rest);
    if (ours.empty() || !is_trunk_name(from_.family, ours))
      return renames_.drop(entry, std::string("not of ") + from_.map->name());
    if (to_.drops_counters && ours.find("num_batches_tracked") != std::string::npos)
      return renames_.drop(entry, std::string(to_.system) + " does not count batches");
    const std::string theirs = to_.map->back(ours);
    if (theirs.empty())
      return renames_.drop(entry, std::string(to_.system) + " has no name for it");
    kept_.emplace(ours, &entry);
    renames_.keep(entry, to_.place, to_.key_prefix + theirs, change_of(entry, ours));
  }

  std::uint32_t change_of(const WeightsEntry& entry, const std::string& ours) {
    if (!renames_.has(VISSL_WEIGHTS_REVERSE_CHANNELS)) return 0;
    const bool is_first = ours == "conv1.weight" || ours == "conv1.stem.0.weight" ||
                          ours == "patch_embed.proj.weight" || ours == "0.0.weight";
    if (!is_first || entry.shape.size() != 4 || entry.shape[1] != 3) return 0;
    is_reversed_ = true;
    return VISSL_WEIGHTS_REVERSE_CHANNELS;
  }

  // Where the file's heads are: beside the trunk, ".trunk._feature_blocks." and ".heads.", or among
  // its names. Nothing when no heads can be beside it.
  std::optional<std::string> head_place() const {
    if (std::strlen(from_.head_place) == 0) return found_.prefix;
    const std::size_t trunk = found_.prefix.rfind("trunk.");
    if (trunk == std::string::npos) return std::nullopt;
    return found_.prefix.substr(0, trunk) + from_.head_place;
  }

  // Heads of more layers than the linear classifier, where both systems have names for them.
  void name_heads() {
    const bool from_vissl = is_system(from_, "vissl"), to_vissl = is_system(to_, "vissl");
    const std::optional<std::string> at = head_place();
    if (!at) return;
    const std::string& place = *at;
    if (from_vissl && is_system(to_, "classy"))
      heads_ = vissl_to_classy(renames_.source(), place);
    else if (is_system(from_, "classy") && to_vissl)
      heads_ = classy_to_vissl(renames_.source(), place);
    else if (from_vissl && to_vissl)
      for (const WeightsEntry& entry : renames_.source())
        if (starts_with(entry.name, place))
          heads_[entry.index].name = entry.name.substr(place.size());
  }

  // Heads: under another name and place. True: the entry is done.
  bool take_head(const WeightsEntry& entry) {
    const auto named = heads_.find(entry.index);
    if (named != heads_.end()) {
      if (!renames_.has(VISSL_WEIGHTS_WITH_HEADS))
        renames_.drop(entry, "a head; --heads takes it along");
      else if (named->second.name.empty())
        renames_.drop(entry, named->second.reason);
      else
        renames_.keep(entry, to_.head_place_whole, named->second.name);
      return true;
    }
    const std::optional<std::string> at = head_place();
    if (std::strlen(from_.head) == 0 || !at) return false;
    const std::string begin = *at + from_.head;
    if (!starts_with(entry.name, begin)) return false;
    std::string suffix = entry.name.substr(begin.size());
    if (from_.has_towers) suffix = suffix == "w" ? "weight" : suffix == "b" ? "bias" : "";
    if (suffix != "weight" && suffix != "bias") return false;
    if (!renames_.has(VISSL_WEIGHTS_WITH_HEADS)) {
      renames_.drop(entry, "the classifier; --heads takes it along");
    } else if (std::strlen(to_.head) == 0) {
      renames_.drop(entry, std::string(to_.system) + " has no name for the classifier");
    } else {
      if (to_.has_towers) suffix = suffix == "weight" ? "w" : "b";
      renames_.keep(entry, std::strlen(to_.head_place) == 0 ? to_.place : to_.head_place_whole,
                    to_.head + suffix);
    }
    return true;
  }

  // Detectron's frozen norms have scale and bias alone, which is a norm of mean 0 and variance 1.
  void fill_frozen_norms() {
    if (!from_.has_towers) return;
    std::size_t filled = 0;
    for (const auto& [ours, entry] : kept_) {
      const std::size_t end = ours.rfind(".weight");
      if (end == std::string::npos || entry->shape.size() != 1) continue;
      const std::string norm = ours.substr(0, end);
      if (kept_.count(norm + ".running_mean") != 0) continue;
      for (const auto& [name, value] : {std::pair{".running_mean", 0.0}, {".running_var", 1.0}})
        renames_.fill(*entry, to_.place, to_.key_prefix + to_.map->back(norm + name), value);
      ++filled;
    }
    if (filled > 0)
      renames_.message(VISSL_LOG_INFO,
                       "frozen norms got mean 0 and variance 1: " + std::to_string(filled));
  }

  void tell_detectron2() const {
    renames_.flag("matching_heuristics", true);
    if (renames_.container() == "numpy pickle") renames_.text("__author__", "vissl-host");
    const bool is_bgr = from_.has_towers != renames_.has(VISSL_WEIGHTS_REVERSE_CHANNELS);
    renames_.message(VISSL_LOG_INFO,
                     is_bgr ? "Detectron2 needs with it:\n"
                              "  INPUT: {FORMAT: BGR}\n"
                              "  MODEL: {PIXEL_MEAN: [103.53, 116.28, 123.675], PIXEL_STD: [1.0, "
                              "1.0, 1.0], RESNETS: {STRIDE_IN_1X1: True}}"
                            : "Detectron2 needs with it:\n"
                              "  INPUT: {FORMAT: RGB}\n"
                              "  MODEL: {PIXEL_MEAN: [123.675, 116.28, 103.53], PIXEL_STD: "
                              "[58.395, 57.12, 57.375], RESNETS: {STRIDE_IN_1X1: False}}");
  }

  const WeightsRenames& renames_;
  const Found& found_;
  const Spelling& from_;
  const Spelling& to_;
  std::map<std::string, const WeightsEntry*> kept_;  // by our names
  HeadNames heads_;
  bool is_reversed_ = false;
};

void check_system(const std::string& name, bool as_target) {
  for (const Spelling& spelling : spellings())
    if (name == spelling.system && (spelling.is_target || !as_target)) return;
  fail(VISSL_E_CONFIG,
       "'" + name + "' is no system whose names " + (as_target ? "can be written" : "are known") +
           "; there are " + known_systems(as_target) +
           (as_target ? ", and torch and safetensors for the container alone" : ""));
}

}  // namespace

void convert(const WeightsRenames& renames) {
  check_system(renames.to(), true);
  if (!renames.from().empty()) check_system(renames.from(), false);
  const Found found = find_trunk(renames);
  if (found.spelling == nullptr)
    fail(VISSL_E_CONFIG,
         "no tensor" + (renames.part().empty() ? "" : " of the part '" + renames.part() + "'") +
             " has a name that " +
             (renames.from().empty() ? "a known system" : "'" + renames.from() + "'") +
             " gives a trunk; vissl-host inspect shows the names");
  renames.message(VISSL_LOG_INFO, std::to_string(found.tensors) + " tensors below '" +
                                      found.prefix + "' have " + found.spelling->map->name() +
                                      " (" + name_of(found.spelling->family) + ")");
  const auto below =
      std::count_if(renames.source().begin(), renames.source().end(),
                    [&](const WeightsEntry& e) { return starts_with(e.name, found.prefix); });
  if (2 * found.tensors < static_cast<std::size_t>(below) && !found.spelling->has_towers)
    renames.message(VISSL_LOG_WARNING,
                    "the other " +
                        std::to_string(below - static_cast<std::ptrdiff_t>(found.tensors)) +
                        " tensors there have not; is it another kind of network? "
                        "--from and --part choose what is taken");
  Conversion(renames, found, target_of(renames, found)).run();
}

}  // namespace pretrained
