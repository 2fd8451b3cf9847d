#include "host/weights/part.hpp"

#include <algorithm>
#include <set>

#include "host/files/damage.hpp"
#include "host/files/error.hpp"
#include "host/files/tensor_list.hpp"

namespace vissl::host {
namespace {

constexpr std::size_t kMostShown = 12;

// `name` up to the end of the first `part` in it; empty when it has none.
std::string place_in(const std::string& name, const std::string& part) {
  for (std::size_t at = 0; at != std::string::npos;) {
    if (name.compare(at, part.size(), part) == 0 && name.size() > at + part.size() &&
        name[at + part.size()] == '.')
      return name.substr(0, at + part.size());
    at = name.find('.', at);
    if (at != std::string::npos) ++at;
  }
  return "";
}

template <class Names>
std::string listed(const Names& names) {
  std::string list;
  std::size_t shown = 0;
  for (const std::string& name : names) {
    if (shown++ == kMostShown) return list + ", ...";
    list += (list.empty() ? "" : ", ") + quoted_name(name);
  }
  return list;
}

// What tensors stand below, the shallow places first.
std::string parts_of(const Node& tree) {
  const auto shallow_first = [](const std::string& a, const std::string& b) {
    const auto depth = [](const std::string& place) { return std::ranges::count(place, '.'); };
    return std::pair(depth(a), std::string_view(a)) < std::pair(depth(b), std::string_view(b));
  };
  std::set<std::string, decltype(shallow_first)> places(shallow_first);
  for_each_tensor(tree, [&](const std::string& name, const TensorRef&) {
    for (std::size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1))
      places.insert(name.substr(0, dot));
  });
  return listed(places);
}

}  // namespace

std::string place_of_part(const Node& tree, const std::string& part, const std::string& name) {
  std::set<std::string> places;
  for_each_tensor(tree, [&](const std::string& path, const TensorRef&) {
    if (std::string place = place_in(path, part); !place.empty()) places.insert(std::move(place));
  });
  if (places.contains(part)) return part;
  if (places.empty()) {
    const std::string parts = parts_of(tree);
    throw Error(Exit::usage,
                name + " has no tensor below " + quoted_name(part) +
                    (parts.empty() ? ", whose tensors stand below nothing; leave out --part"
                                   : "; --part takes whole dotted parts of the names: " + parts));
  }
  if (places.size() > 1)
    throw Error(Exit::usage, name + " has " + quoted_name(part) +
                                 " in several places; name one whole: " + listed(places));
  return *places.begin();
}

}  // namespace vissl::host
