#include "names.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

using namespace vissl;

namespace pretrained {

namespace {

// "a.", "a.b." …: the beginnings of a name.
void add_prefixes(const std::string& name, int deepest, std::set<std::string>& prefixes) {
  std::size_t at = 0;
  for (int part = 0; part < deepest; ++part) {
    at = name.find('.', at);
    if (at == std::string::npos) return;
    prefixes.insert(name.substr(0, ++at));
  }
}

}  // namespace

bool starts_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

std::int64_t numel(const std::vector<std::int64_t>& shape) {
  std::int64_t elements = 1;
  for (const std::int64_t size : shape) elements *= size;
  return elements;
}

std::int64_t numel(const WeightsEntry& entry) {
  return numel(entry.shape);
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

bool is_counter(std::string_view name) {
  return ends_with(name, "num_batches_tracked");
}

std::vector<std::string> without_counters(std::vector<std::string> names) {
  names.erase(std::remove_if(names.begin(), names.end(), is_counter), names.end());
  return names;
}

std::string torch_size(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t size : shape) text += (text.empty() ? "" : ", ") + std::to_string(size);
  return "torch.Size([" + text + "])";
}

bool fits(const std::vector<std::int64_t>& from, const std::vector<std::int64_t>& to) {
  return from == to || (to.empty() && from == std::vector<std::int64_t>{1});
}

Names below(const WeightsPlan& plan, std::string_view place) {
  Names names;
  for (const WeightsEntry& entry : plan.source())
    if (starts_with(entry.name, place))
      names.push_back({entry.name.substr(place.size()), of_file(entry)});
  return names;
}

Names must_be_below(const WeightsPlan& plan, const std::string& place) {
  Names names = below(plan, place);
  if (!names.empty()) return names;
  std::set<std::string> tops;
  for (const WeightsEntry& entry : plan.source())
    tops.insert(entry.name.substr(0, entry.name.find('.')));
  std::string list;
  for (const std::string& top : tops)
    if (list.size() < 200) list += (list.empty() ? "'" : ", '") + top + "'";
  fail(VISSL_E_CONFIG,
       "the file has no state dict '" + place.substr(0, place.size() - 1) +
           "'; its names begin with " + list +
           "; set state_dict_key_name of [model.weights_init], \"\" for a file that "
           "is the state dict itself, or profile = \"auto\"");
}

std::string wrapper_of(const WeightsPlan& plan, const std::vector<std::string>& wrappers) {
  for (const std::string& wrapper : wrappers)
    for (const WeightsEntry& entry : plan.source())
      if (starts_with(entry.name, wrapper + ".")) return wrapper + ".";
  return "";
}

std::string Placement::target(const std::string& name) const {
  if (!starts_with(name, from)) return "";
  const std::string mapped = map->rename(name.substr(from.size()));
  return mapped.empty() ? mapped : to + mapped;
}

Targets::Targets(const WeightsPlan& plan) : plan_(plan) {
  std::string common;
  for (const WeightsEntry& target : plan.targets()) {
    by_name_.emplace(target.name, &target);
    if (!starts_with(target.name, "trunk.")) continue;
    if (!is_counter(target.name)) trunk_elements_ += numel(target);
    if (common.empty()) common = target.name;
    const auto end =
        std::mismatch(common.begin(), common.end(), target.name.begin(), target.name.end());
    common.erase(end.first, common.end());
  }
  std::set<std::string> places;
  add_prefixes(common, kDeepestPrefix, places);
  places_.assign(places.begin(), places.end());
}

const WeightsEntry* Targets::find(const std::string& name) const {
  const auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : it->second;
}

bool Targets::has_ending(std::string_view end) const {
  return std::any_of(all().begin(), all().end(),
                     [&](const WeightsEntry& target) { return ends_with(target.name, end); });
}

void Twins::see(std::string_view place) {
  has_student_ = has_student_ || place.find("student") != std::string_view::npos;
}

bool Twins::is_lesser(std::string_view place) const {
  static const std::set<std::string_view> averages = {
      "momentum", "ema", "target", "avg", "average", "averaged", "swa", "shadow", "polyak"};
  if (place.find("_k.") != std::string_view::npos) return true;  // MoCo's keys
  for (std::size_t at = 0; at < place.size();) {
    const std::size_t end = std::min(place.find_first_of("._", at), place.size());
    const std::string_view word = place.substr(at, end - at);
    if (averages.count(word) > 0 || word == (has_student_ ? "student" : "teacher")) return true;
    at = end + 1;
  }
  return false;
}

std::vector<Placement> placements(const Names& names, const Targets& targets,
                                  const Search& search) {
  const std::vector<const KeyMap*>& maps = search.maps;
  const auto& places = search.places.empty() ? targets.places() : search.places;
  using Place = std::tuple<std::string, std::size_t, std::string>;  // from, map, to
  std::map<Place, Placement> found;
  for (const Named& named : names) {
    std::set<std::string> prefixes = {""};
    add_prefixes(named.name, kDeepestPrefix, prefixes);
    for (const std::string& from : prefixes) {
      const std::string rest = named.name.substr(from.size());
      for (std::size_t m = 0; m < maps.size(); ++m) {
        const std::string mapped = maps[m]->rename(rest);
        if (mapped.empty()) continue;
        for (const std::string& to : places) {
          const WeightsEntry* target = targets.find(to + mapped);
          if (target == nullptr) continue;
          if (!search.any_shape && !fits(named.shape(), target->shape)) continue;
          Placement& place = found[{from, m, to}];
          place.from = from;
          place.map = maps[m];
          place.to = to;
          // Counters choose no network: its average may have them while it has none itself.
          if (!is_counter(target->name)) place.elements += numel(*target);
          ++place.tensors;
        }
      }
    }
  }
  std::vector<Placement> list;
  for (auto& [key, place] : found)
    if (place.elements > 0) list.push_back(std::move(place));
  Twins twins;
  // Whoever says what he wants means the trained network or its average, teachers among these.
  for (const Placement& place : list)
    if (!search.averages) twins.see(place.from);
  std::int64_t most = 0;
  for (const Placement& p : list) most = std::max(most, p.elements);
  // What is asked for need not be the fullest, but must be a network.
  const auto asked = [&](const Placement& p) {
    return search.averages && twins.is_lesser(p.from) == *search.averages && 2 * p.elements > most;
  };
  // The sort is stable: among equals the shorter prefix and the earlier map stay first.
  std::stable_sort(list.begin(), list.end(), [&](const Placement& a, const Placement& b) {
    if (asked(a) != asked(b)) return asked(a);
    if (a.elements != b.elements) return a.elements > b.elements;
    return twins.is_lesser(a.from) < twins.is_lesser(b.from);
  });
  return list;
}

std::string where_it_fits(const Names& names, const Targets& targets) {
  const std::vector<Placement> found = placements(names, targets, {all_key_maps()});
  if (found.empty()) return "";
  const Placement& best = found.front();
  const std::string place =
      best.from.empty() ? " at the top of the file fit" : " below '" + best.from + "' fit";
  return "; " + std::to_string(best.tensors) + (best.tensors == 1 ? " tensor" : " tensors") +
         place + (best.tensors == 1 ? "s" : "") + " the model";
}

std::string shapes_alone(const Names& names, const Targets& targets) {
  Search by_name = {all_key_maps()};
  by_name.any_shape = true;
  const std::vector<Placement> found = placements(names, targets, by_name);
  // A name or two in common are chance.
  if (found.empty() || 2 * found.front().tensors < std::min(names.size(), targets.all().size()))
    return "";
  for (const Named& named : names) {
    const WeightsEntry* target = targets.find(found.front().target(named.name));
    if (target == nullptr || fits(named.shape(), target->shape)) continue;
    return std::to_string(found.front().tensors) +
           " of its names match the model's, but no shape does: the first is '" + named.name +
           "' " + torch_size(named.shape()) + ", '" + target->name + "' of the model is " +
           torch_size(target->shape) + "; make the trunk the one that was saved";
  }
  return "";
}

}  // namespace pretrained
