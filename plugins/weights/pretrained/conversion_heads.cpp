#include "conversion_heads.hpp"

#include <algorithm>
#include <map>

#include "key_maps.hpp"
#include "names.hpp"

using namespace vissl;

namespace pretrained {

namespace {

constexpr const char* kHead = "block3-2.default_head.";
constexpr const char* kLast = "embedding_fc.";

using Place = std::pair<int, int>;  // head, number in it

struct Layer {
  bool is_norm = false;
  std::vector<const WeightsEntry*> tensors;
};

std::string leaf_of(const WeightsEntry& entry) {
  return entry.name.substr(entry.name.rfind('.') + 1);
}

// The layers of VISSL's heads in their order; a norm has weights of one axis.
std::map<Place, Layer> layers_of(const std::vector<WeightsEntry>& source,
                                 const std::string& place) {
  static const NamePattern pattern("{h}.clf.{i}.*");
  std::map<Place, Layer> layers;
  for (const WeightsEntry& entry : source) {
    NamePattern::Numbers numbers;
    std::string leaf;
    if (!starts_with(entry.name, place) ||
        !pattern.match(std::string_view(entry.name).substr(place.size()), numbers, leaf))
      continue;
    Layer& layer = layers[{numbers['h'], numbers['i']}];
    layer.tensors.push_back(&entry);
    if (leaf == "weight") layer.is_norm = entry.shape.size() == 1;
  }
  return layers;
}

}  // namespace

HeadNames vissl_to_classy(const std::vector<WeightsEntry>& source, const std::string& place) {
  const std::map<Place, Layer> layers = layers_of(source, place);
  const auto linear = std::count_if(layers.begin(), layers.end(),
                                    [](const auto& layer) { return !layer.second.is_norm; });
  HeadNames names;
  if (linear < 2) return names;
  std::ptrdiff_t number = -1;  // of the linear layer
  for (const auto& [at, layer] : layers) {
    if (!layer.is_norm) ++number;
    const bool last = number + 1 == linear;
    const std::string begin = kHead + ("mlp.layers." + std::to_string(number)) + ".";
    for (const WeightsEntry* entry : layer.tensors) {
      HeadName& name = names[entry->index];
      if (!layer.is_norm)
        name.name = (last ? kHead + std::string(kLast) : begin + "fc.") + leaf_of(*entry);
      else if (last || number < 0)
        name.reason = "ClassyVision's heads have no norm there";
      else
        name.name = begin + "batch_norm." + leaf_of(*entry);
    }
  }
  return names;
}

HeadNames classy_to_vissl(const std::vector<WeightsEntry>& source, const std::string& place) {
  static const NamePattern linear("mlp.layers.{k}.fc.*"), norm("mlp.layers.{k}.batch_norm.*");
  const std::string begin = place + kHead;
  HeadNames names;
  int layers = 0;
  std::vector<const WeightsEntry*> last;
  for (const WeightsEntry& entry : source) {
    if (!starts_with(entry.name, begin)) continue;
    const std::string_view rest = std::string_view(entry.name).substr(begin.size());
    for (const auto& [pattern, number] : {std::pair{&linear, "0"}, {&norm, "1"}}) {
      NamePattern::Numbers numbers;
      std::string leaf;
      if (!pattern->match(rest, numbers, leaf)) continue;
      names[entry.index].name = std::to_string(numbers['k']) + ".clf." + number + "." + leaf;
      layers = std::max(layers, numbers['k'] + 1);
    }
    // "{prefix}_fc.weight", whatever the prefix.
    const std::size_t dot = rest.find('.');
    if (dot != std::string_view::npos && ends_with(rest.substr(0, dot), "_fc") &&
        rest.find('.', dot + 1) == std::string_view::npos)
      last.push_back(&entry);
  }
  if (layers == 0) return {};
  for (const WeightsEntry* entry : last)
    names[entry->index].name = std::to_string(layers) + ".clf.0." + leaf_of(*entry);
  return names;
}

}  // namespace pretrained
