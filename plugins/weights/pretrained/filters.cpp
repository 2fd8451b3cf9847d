#include "filters.hpp"

#include <algorithm>

#include "filter_table.hpp"

using namespace vissl;

namespace pretrained {

namespace {

using Kind = Formula::Kind;
using Shape = std::vector<std::int64_t>;

// ---- clip ----

FormulaPtr no_bias(const FormulaPtr& weight, std::int64_t size) {
  return made(Kind::zeros, {weight}, {size}, "no bias in the file: zeros");
}

void clip_tower(Table& table, const std::string& at, const std::string& positions,
                const std::string& patches) {
  const FormulaPtr token = table.find(at + "class_embedding");
  table.put(at + "class_embedding", reshaped(token, {1, 1, token->shape[0]}, ""));
  if (const FormulaPtr grid = table.find(at + positions); grid && grid->shape.size() == 2)
    table.put(at + positions, reshaped(grid, {1, grid->shape[0], grid->shape[1]}, ""));
  const FormulaPtr conv = table.find(at + patches + ".weight");
  if (conv && conv->shape.size() == 4 && !table.find(at + patches + ".bias"))
    table.put(at + patches + ".bias", no_bias(conv, conv->shape[0]));
  if (const FormulaPtr proj = table.find(at + "proj"); proj && proj->shape.size() == 2) {
    table.put(at + "proj.weight", permuted(proj, {1, 0}, "transposed"));
    table.put(at + "proj.bias", no_bias(proj, proj->shape[1]));
  }
}

void clip(Table& table, const Targets&) {
  static const std::string mark = "class_embedding", inner = "embeddings.";
  const Names names = table.names();
  for (const Named& named : names) {
    if (!ends_with(named.name, mark) || named.shape().size() != 1) continue;
    const std::string at = with_end(named.name, mark, "");
    std::string tower = at;
    if (table.find(at + "positional_embedding")) {
      clip_tower(table, at, "positional_embedding", "conv1");
    } else if (table.find(at + "position_embedding.weight")) {
      clip_tower(table, at, "position_embedding.weight", "patch_embedding");
      if (ends_with(at, inner)) tower = with_end(at, inner, "");
    } else {
      continue;
    }
    // The tower for text, its words, the temperature.
    table.spare([&](const Named& other) { return !starts_with(other.name, tower); });
  }
}

// ---- qkv ----

void qkv(Table& table, const Targets&) {
  const Names names = table.names();
  for (const Named& named : names) {
    for (const char* spelling : {"", "_proj"}) {
      for (const char* leaf : {".weight", ".bias"}) {
        const auto name = [&](const char* whole, const char* letter) {
          return (*spelling == '\0' ? whole : letter) + std::string(spelling) + leaf;
        };
        const std::string query = name("query", "q");
        if (!ends_with(named.name, "." + query)) continue;
        const std::string at = with_end(named.name, query, "");
        const FormulaPtr key = table.find(at + name("key", "k"));
        const FormulaPtr value = table.find(at + name("value", "v"));
        const bool alike =
            key && value && key->shape == named.shape() && value->shape == named.shape();
        if (alike && !named.shape().empty())
          table.put(at + "qkv" + leaf, joined_rows({named.tensor, key, value}, kJoined));
      }
    }
  }
}

// ---- layer_scale ----

struct ScaleName {
  const char* gamma;
  std::vector<const char*> layers;  // that it scales the output of
};

void layer_scale(Table& table, const Targets& targets) {
  static const std::vector<ScaleName> kinds = {
      {".ls1.gamma", {".attn.proj"}},
      {".ls2.gamma", {".mlp.fc2", ".mlp.w3"}},
      {".gamma_1", {".attn.proj"}},
      {".gamma_2", {".mlp.fc2"}},
      {".layer_scale1.lambda1", {".attention.output.dense"}},
      {".layer_scale2.lambda1", {".mlp.fc2"}},
  };
  if (targets.has_ending(".ls1.gamma") || targets.has_ending(".gamma_1")) return;
  const Names names = table.names();
  for (const Named& named : names) {
    for (const ScaleName& kind : kinds) {
      if (!ends_with(named.name, kind.gamma) || named.shape().size() != 1) continue;
      const std::string block = with_end(named.name, kind.gamma, "");
      for (const char* layer : kind.layers) {
        for (const char* leaf : {".weight", ".bias"}) {
          const FormulaPtr tensor = table.find(block + layer + leaf);
          if (tensor && !tensor->shape.empty() && tensor->shape[0] == named.shape()[0])
            table.put(block + layer + leaf, made(Kind::scale_rows, {tensor, named.tensor},
                                                 tensor->shape, "layer scale multiplied in"));
        }
      }
    }
  }
}

// ---- mask_token ----

void mask_token(Table& table, const Targets&) {
  table.spare([](const Named& named) {
    return named.name == "mask_token" || ends_with(named.name, ".mask_token");
  });
}

// ---- weight_norm ----

// The axis along which the lengths lie; -1: one length for all; -2: they do not belong together.
std::int64_t length_axis(const Shape& direction, const Shape& length) {
  if (length.empty()) return -1;
  if (length.size() != direction.size()) return -2;
  std::int64_t axis = -2;
  for (std::size_t i = 0; i < length.size(); ++i) {
    if (length[i] == 1 && direction[i] != 1) continue;
    if (length[i] != direction[i]) return -2;
    if (axis == -2 || length[i] != 1) axis = static_cast<std::int64_t>(i);
  }
  return axis;
}

void weight_norm(Table& table, const Targets& targets) {
  const bool keeps = targets.has_ending(".weight_g");
  const Names names = table.names();
  for (const Named& named : names) {
    for (const auto& [g, v] :
         {std::pair{".weight_g", ".weight_v"},
          {".parametrizations.weight.original0", ".parametrizations.weight.original1"}}) {
      if (!ends_with(named.name, g)) continue;
      const std::string layer = with_end(named.name, g, "");
      const FormulaPtr direction = table.find(layer + v);
      if (!direction) continue;
      const std::int64_t axis = length_axis(direction->shape, named.shape());
      if (axis == -2) continue;
      table.put(layer + ".weight", made(Kind::weight_norm, {direction, named.tensor},
                                        direction->shape, "direction by its length", {axis}));
      if (keeps && std::string_view(g) != ".weight_g") {
        table.put(layer + ".weight_g", named.tensor);
        table.put(layer + ".weight_v", direction);
      }
    }
    if (!keeps || !ends_with(named.name, ".weight") || named.shape().size() < 2) continue;
    const std::string layer = with_end(named.name, ".weight", "");
    if (table.find(layer + ".weight_g")) continue;
    Shape lengths(named.shape().size(), 1);
    lengths[0] = named.shape()[0];
    table.put(layer + ".weight_v", named.tensor);
    table.put(layer + ".weight_g",
              made(Kind::lengths, {named.tensor}, lengths, "lengths of the rows"));
  }
}

struct Filter {
  const char* name;
  void (*run)(Table&, const Targets&);
};
constexpr Filter kFilters[] = {{"jax", filter_jax},
                               {"clip", clip},
                               {"qkv", qkv},
                               {"layer_scale", layer_scale},
                               {"mask_token", mask_token},
                               {"weight_norm", weight_norm}};

}  // namespace

const std::vector<std::string>& filter_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const Filter& filter : kFilters) list.emplace_back(filter.name);
    return list;
  }();
  return names;
}

Names filtered(Names names, const std::vector<std::string>& wanted, const Targets& targets) {
  Table table(std::move(names));
  for (const Filter& filter : kFilters) {
    if (std::find(wanted.begin(), wanted.end(), filter.name) == wanted.end()) continue;
    table.enter(filter.name);
    filter.run(table, targets);
  }
  return table.take();
}

}  // namespace pretrained
