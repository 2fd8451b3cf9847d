// Vision transformers as Google's JAX code writes them.
#include <algorithm>
#include <map>
#include <optional>

#include "filter_table.hpp"

using namespace vissl;

namespace pretrained {

namespace {

using Kind = Formula::Kind;
using Shape = std::vector<std::int64_t>;

constexpr std::int64_t kMostBlocks = 1000;  // an empty tensor may claim any number

FormulaPtr flat(const FormulaPtr& tensor, std::string what) {
  return reshaped(tensor, {numel(tensor->shape)}, std::move(what));
}

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
    if (ends_with(name, end)) name = with_end(name, end, "/weight");
  std::replace(name.begin(), name.end(), '/', '.');
  return name;
}

class Jax {
 public:
  Jax(std::string prefix, const char* filter) : prefix_(std::move(prefix)), filter_(filter) {}

  void keep(const Named& named) { out_.push_back(named); }

  void add(const std::string& rest, const FormulaPtr& tensor) {
    static const std::string scanned = "Transformer/encoderblock/";
    if (!starts_with(rest, scanned) || tensor->shape.empty() || tensor->shape[0] > kMostBlocks)
      return add_one(rest, tensor);
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

// The beginning of a file's names, and what stands between their parts: "/" in .npz, "." in trees.
struct JaxPlace {
  std::string prefix;
  char between;
};
std::optional<JaxPlace> jax_place(const Table& table) {
  for (const Named& named : table.names()) {
    if (named.shape().size() != 4) continue;
    for (const char between : {'/', '.'}) {
      const auto spelled = [&](std::string name) {
        std::replace(name.begin(), name.end(), '/', between);
        return name;
      };
      const std::string mark = spelled("embedding/kernel");
      if (!ends_with(named.name, mark)) continue;
      const std::string prefix = with_end(named.name, mark, "");
      if (table.find(prefix + spelled("Transformer/encoder_norm/scale")))
        return JaxPlace{prefix, between};
    }
  }
  return std::nullopt;
}

}  // namespace

void filter_jax(Table& table, const Targets&) {
  const std::optional<JaxPlace> place = jax_place(table);
  if (!place) return;
  Jax filter(place->prefix, table.filter());
  for (const Named& named : table.names()) {
    if (!starts_with(named.name, place->prefix)) {
      filter.keep(named);
      continue;
    }
    std::string rest = named.name.substr(place->prefix.size());
    std::replace(rest.begin(), rest.end(), place->between, '/');
    filter.add(rest, named.tensor);
  }
  table.replace(filter.finish());
}

}  // namespace pretrained
