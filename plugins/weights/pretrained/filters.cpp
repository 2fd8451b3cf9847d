#include "filters.hpp"

#include <algorithm>
#include <map>

using namespace vissl;

namespace pretrained {

namespace {

using Kind = Formula::Kind;
using Shape = std::vector<std::int64_t>;

// The names while a filter changes them.
class Table {
 public:
  explicit Table(Names names) : names_(std::move(names)) { index(); }

  const Names& names() const { return names_; }
  // By its name; NULL when there is none.
  FormulaPtr find(const std::string& name) const {
    const auto it = by_name_.find(name);
    return it == by_name_.end() ? nullptr : names_[it->second].tensor;
  }
  // Under a new name, or in place of what has it.
  void put(const std::string& name, FormulaPtr tensor) {
    const auto [it, is_new] = by_name_.emplace(name, names_.size());
    Named named = {name, std::move(tensor), filter_, false};
    if (is_new)
      names_.push_back(std::move(named));
    else
      names_[it->second] = std::move(named);
  }
  void replace(Names names) {
    names_ = std::move(names);
    index();
  }
  template <class Which>
  void spare(const Which& which) {
    for (Named& named : names_) named.is_spare = named.is_spare || which(named);
  }
  // The filter whose work follows.
  void enter(const char* filter) { filter_ = filter; }
  const char* filter() const { return filter_; }
  Names take() { return std::move(names_); }

 private:
  void index() {
    by_name_.clear();
    for (std::size_t i = 0; i < names_.size(); ++i) by_name_.emplace(names_[i].name, i);
  }
  Names names_;
  std::unordered_map<std::string, std::size_t> by_name_;
  const char* filter_ = nullptr;
};

std::string with(const std::string& text, std::string_view end, const std::string& other) {
  return text.substr(0, text.size() - end.size()) + other;
}

FormulaPtr flat(const FormulaPtr& tensor, std::string what) {
  std::int64_t elements = 1;
  for (const std::int64_t size : tensor->shape) elements *= size;
  return reshaped(tensor, {elements}, std::move(what));
}

FormulaPtr joined_rows(const std::vector<FormulaPtr>& parts, std::string what) {
  Shape shape = parts.front()->shape;
  shape[0] = 0;
  for (const FormulaPtr& part : parts) shape[0] += part->shape[0];
  return made(Kind::join, parts, std::move(shape), std::move(what));
}

constexpr const char* kJoined = "query, key and value joined";

// ---- jax ----

// What a layer of Flax keeps under `name`, as torch keeps it.
FormulaPtr jax_tensor(const std::string& name, const FormulaPtr& tensor) {
  if (!ends_with(name, "/kernel")) return tensor;
  const Shape& shape = tensor->shape;
  if (shape.size() == 4) return permuted(tensor, {3, 2, 0, 1}, "kernel transposed");
  if (shape.size() == 2) return permuted(tensor, {1, 0}, "kernel transposed");
  if (shape.size() == 3 && ends_with(name, "/out/kernel"))
    return reshaped(permuted(tensor, {2, 0, 1}, ""), {shape[2], shape[0] * shape[1]},
                    "heads joined");
  return tensor;
}

// Query, key and value of (D, H, h) or, of a bias, (H, h).
FormulaPtr jax_part(const FormulaPtr& tensor) {
  const Shape& shape = tensor->shape;
  if (shape.size() != 3) return flat(tensor, "");
  return permuted(reshaped(tensor, {shape[0], shape[1] * shape[2]}, ""), {1, 0}, "");
}

// The path with dots, and torch's word for its last part.
std::string dotted(std::string name) {
  for (const char* end : {"/kernel", "/scale"})
    if (ends_with(name, end)) name = with(name, end, "/weight");
  std::replace(name.begin(), name.end(), '/', '.');
  return name;
}

class Jax {
 public:
  Jax(std::string prefix, const char* filter) : prefix_(std::move(prefix)), filter_(filter) {}

  void keep(const Named& named) { out_.push_back(named); }

  void add(const std::string& rest, const FormulaPtr& tensor) {
    static const std::string scanned = "Transformer/encoderblock/";
    if (!starts_with(rest, scanned) || tensor->shape.empty()) return add_one(rest, tensor);
    // All blocks in one tensor: (L, …).
    const Shape shape(tensor->shape.begin() + 1, tensor->shape.end());
    for (std::int64_t i = 0; i < tensor->shape[0]; ++i)
      add_one("Transformer/encoderblock_" + std::to_string(i) + "/" + rest.substr(scanned.size()),
              made(Kind::select, {tensor}, shape, "", {i}));
  }
  Names finish() {
    for (const auto& [name, parts] : attention_) {
      if (parts.size() != 3) continue;
      put(name, joined_rows({jax_part(parts.at("query")), jax_part(parts.at("key")),
                             jax_part(parts.at("value"))},
                            kJoined));
    }
    return std::move(out_);
  }

 private:
  void add_one(const std::string& rest, const FormulaPtr& tensor) {
    for (const char* part : {"query", "key", "value"}) {
      const std::size_t at = rest.find("/" + std::string(part) + "/");
      if (at == std::string::npos) continue;
      const std::string leaf = rest.substr(rest.rfind('/'));
      attention_[rest.substr(0, at) + "/qkv" + leaf].emplace(part, tensor);
      return;
    }
    put(rest, jax_tensor(rest, tensor));
  }
  void put(const std::string& rest, FormulaPtr tensor) {
    const std::string name = dotted(rest);
    const bool is_known = !jax_vit_names().rename(name).empty() || starts_with(name, "head.");
    out_.push_back({dotted(prefix_) + name, std::move(tensor), filter_, !is_known});
  }

  std::string prefix_;
  const char* filter_;
  Names out_;
  std::map<std::string, std::map<std::string, FormulaPtr>> attention_;
};

void jax(Table& table, const Targets&) {
  static const std::string mark = "embedding/kernel";
  std::string prefix;
  bool found = false;
  for (const Named& named : table.names()) {
    if (!ends_with(named.name, mark) || named.shape().size() != 4) continue;
    prefix = with(named.name, mark, "");
    found = table.find(prefix + "Transformer/encoder_norm/scale") != nullptr;
    if (found) break;
  }
  if (!found) return;
  Jax filter(prefix, table.filter());
  for (const Named& named : table.names()) {
    if (starts_with(named.name, prefix))
      filter.add(named.name.substr(prefix.size()), named.tensor);
    else
      filter.keep(named);
  }
  table.replace(filter.finish());
}

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
  if (conv && !table.find(at + patches + ".bias"))
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
    const std::string at = with(named.name, mark, "");
    std::string tower = at;
    if (table.find(at + "positional_embedding")) {
      clip_tower(table, at, "positional_embedding", "conv1");
    } else if (table.find(at + "position_embedding.weight")) {
      clip_tower(table, at, "position_embedding.weight", "patch_embedding");
      if (ends_with(at, inner)) tower = with(at, inner, "");
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
        const std::string at = with(named.name, query, "");
        const FormulaPtr key = table.find(at + name("key", "k"));
        const FormulaPtr value = table.find(at + name("value", "v"));
        if (key && value && key->shape == named.shape() && value->shape == named.shape())
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
      if (!ends_with(named.name, kind.gamma)) continue;
      const std::string block = with(named.name, kind.gamma, "");
      for (const char* layer : kind.layers) {
        for (const char* leaf : {".weight", ".bias"}) {
          const FormulaPtr tensor = table.find(block + layer + leaf);
          if (tensor && tensor->shape[0] == named.shape()[0])
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
      const std::string layer = with(named.name, g, "");
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
    const std::string layer = with(named.name, ".weight", "");
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
constexpr Filter kFilters[] = {{"jax", jax},
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
