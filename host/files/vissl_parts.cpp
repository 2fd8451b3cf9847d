#include "host/files/vissl_parts.hpp"

#include <algorithm>
#include <cstring>

#include "host/files/damage.hpp"
#include "host/files/error.hpp"
#include "host/files/mapped_file.hpp"

namespace vissl::host {
namespace {

namespace fs = std::filesystem;

// Without the wrappers' own parts: "blocks._fpw_module.0.weight" -> "blocks.0.weight".
std::string clean_name(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    const std::size_t end = std::min(name.find('.'), name.size());
    const std::string_view part = name.substr(0, end);
    if (part != "_fsdp_wrapped_module" && part != "_fpw_module") {
      out += (out.empty() ? "" : ".") + std::string(part);
    }
    name.remove_prefix(std::min(end + 1, name.size()));
  }
  return out;
}

std::string joined_name(const std::string& path, const std::string& name) {
  return clean_name(path.empty() ? name : path + "." + name);
}

class VisslParts {
 public:
  VisslParts(const fs::path& list, const WeightsReadOptions& options)
      : list_(list), options_(options) {}

  Node joined_shards(const Node& list);
  Node joined_slices(const Node& list);
  // The part that is being looked at; empty: several at once.
  const std::string& part() const { return part_; }

 private:
  [[noreturn]] void damaged(const std::string& what) const {
    throw Error(Exit::bad_data, list_.string() + ": " + what + "; use another copy");
  }
  fs::path part_path(const Node& stored) const;
  Node read_part(const Node& stored);
  void add_consolidated(const std::vector<const Node*>& weights,
                        const std::vector<const Node*>& metadata, const std::string& prefix,
                        Dict& out) const;
  void add_flat(const std::vector<const Node*>& weights, const std::vector<const Node*>& facts,
                const std::string& path, const std::string& name, const std::string& prefix,
                Dict& out) const;
  void add_slices(const Node& paths, const std::string& prefix, Dict& out);
  void add_heads(const std::vector<const Node*>& models, const std::vector<const Node*>& metas,
                 Dict& out) const;

  const fs::path& list_;
  const WeightsReadOptions& options_;
  std::string part_;
};

// A stored path is mostly an absolute one of the machine that wrote the list.
fs::path VisslParts::part_path(const Node& stored) const {
  if (stored.kind() != Node::Kind::text) damaged("lists a part that is no path");
  const fs::path path = stored.as_text();
  const bool climbs = std::ranges::find(path, fs::path("..")) != path.end();
  if (climbs || path.extension() != ".torch") {
    damaged("lists the part " + quoted_name(stored.as_text()) + ", which is no name of a part");
  }
  const fs::path folder = list_.parent_path();
  std::error_code ignored;
  for (const fs::path& choice :
       {folder / path.parent_path().filename() / path.filename(), folder / path.filename(), path}) {
    if (fs::is_regular_file(choice, ignored)) return choice;
  }
  throw Error(Exit::bad_data, list_.string() + ": lists the part " + quoted_name(stored.as_text()) +
                                  ", which is neither there nor beside the list; copy the parts "
                                  "into " +
                                  folder.string());
}

Node VisslParts::read_part(const Node& stored) {
  const auto mapped = MappedFile::open(part_path(stored));
  part_ = stored.as_text();
  return read_weights({mapped->bytes(), mapped, mapped->name()}, options_).tree;
}

// One flattened parameter: its pieces of every shard without their padding, one after the other,
// cut into the parameters that were flattened.
void VisslParts::add_flat(const std::vector<const Node*>& weights,
                          const std::vector<const Node*>& facts, const std::string& path,
                          const std::string& name, const std::string& prefix, Dict& out) const {
  const std::string key = path.empty() ? name : path + "." + name;
  std::vector<TensorRef> pieces;
  std::int64_t total = 0;
  for (std::size_t rank = 0; rank < weights.size(); ++rank) {
    const Node* found = weights[rank]->find(key);
    if (found == nullptr) damaged("shard " + std::to_string(rank) + " has no " + quoted_name(key));
    TensorRef piece = found->as_tensor();
    const std::int64_t padding = facts[rank]->at("padding").as_int();
    // A view that repeats its elements could claim any number of them.
    if (piece.shape.size() != 1 || !piece.is_contiguous() || padding < 0 ||
        padding > piece.shape[0] || (rank > 0 && piece.dtype != pieces[0].dtype)) {
      damaged("the shards of " + quoted_name(key) + " do not fit each other");
    }
    piece.shape[0] -= padding;
    total += piece.shape[0];
    pieces.push_back(std::move(piece));
  }
  const DType dtype = pieces[0].dtype;
  const std::uint64_t size = static_cast<std::uint64_t>(total) * size_bytes(dtype);
  const auto storage = Storage::lazy(size, [pieces, size] {
    auto whole = Storage::allocate(size);
    std::byte* at = whole->writable().data();
    for (const TensorRef& piece : pieces) {
      const auto bytes = piece.packed();
      at = std::ranges::copy(bytes, at).out;
    }
    return whole;
  });
  const auto& names = facts[0]->at("names").as_items();
  const auto& shapes = facts[0]->at("shapes").as_items();
  if (names.size() != shapes.size()) damaged("the facts of " + quoted_name(key) + " are torn");
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::vector<std::int64_t> shape;
    for (const Node& length : shapes[i].as_items()) shape.push_back(length.as_int());
    TensorRef tensor = TensorRef::contiguous(dtype, std::move(shape), storage);
    tensor.offset = offset;
    if (const char* problem = tensor.invalid()) {
      damaged(quoted_name(key) + " holds " + std::string(problem));
    }
    offset += tensor.numel();
    tensor.is_parameter = true;
    out.set(prefix + joined_name(path, names[i].as_text()), Node(std::move(tensor)));
  }
  if (offset != total) {
    damaged("the shards of " + quoted_name(key) + " have " + std::to_string(total) +
            " elements, its parameters " + std::to_string(offset));
  }
}

// `metadata` of each shard: {"param_metadata": [{"fsdp_path", "params": {name: {"names", "shapes",
// "numels", "padding"}}, "shared_param_info"}], "buffer_names": [...]}. A module that was not
// sharded has none: it is whole in every shard.
void VisslParts::add_consolidated(const std::vector<const Node*>& weights,
                                  const std::vector<const Node*>& metadata,
                                  const std::string& prefix, Dict& out) const {
  const Node* first = metadata[0];
  if (first == nullptr || first->find("param_metadata") == nullptr) {
    for (const Dict::Entry& entry : weights[0]->as_dict().entries()) {
      out.set(prefix + clean_name(to_text(entry.key)), entry.value);
    }
    return;
  }
  const auto& units = first->at("param_metadata").as_items();
  for (std::size_t u = 0; u < units.size(); ++u) {
    const std::string path = units[u].at("fsdp_path").as_text();
    for (const Dict::Entry& entry : units[u].at("params").as_dict().entries()) {
      std::vector<const Node*> facts;
      for (const Node* of_rank : metadata) {
        const auto& its_units = of_rank->at("param_metadata").as_items();
        if (u >= its_units.size()) damaged("the shards list different modules");
        facts.push_back(&its_units[u].at("params").at(entry.key));
      }
      add_flat(weights, facts, path, to_text(entry.key), prefix, out);
    }
    if (const Node* shared = units[u].find("shared_param_info")) {
      for (const Node& pair : shared->as_items()) {
        if (pair.as_items().size() != 2) damaged("the list of shared parameters is torn");
        const std::string source = joined_name(path, pair.as_items()[0].as_text());
        const std::string target = joined_name(path, pair.as_items()[1].as_text());
        const Node* known = out.find(prefix + source);
        if (known == nullptr) damaged("shares the unknown parameter " + quoted_name(source));
        out.set(prefix + target, Node(*known));
      }
    }
  }
  if (const Node* buffers = first->find("buffer_names")) {
    for (const Node& name : buffers->as_items()) {
      if (const Node* buffer = weights[0]->find(name.as_text())) {
        out.set(prefix + clean_name(name.as_text()), *buffer);
      }
    }
  }
}

// Heads are one dict, or a list with a dict for each head.
void VisslParts::add_heads(const std::vector<const Node*>& models,
                           const std::vector<const Node*>& metas, Dict& out) const {
  const auto all = [](const std::vector<const Node*>& nodes, auto&& pick) {
    std::vector<const Node*> picked;
    for (const Node* node : nodes) picked.push_back(node == nullptr ? nullptr : pick(*node));
    return picked;
  };
  const auto heads_of = [](const Node& node) { return node.find("heads"); };
  const auto heads = all(models, heads_of);
  const auto facts = all(metas, heads_of);
  if (heads[0] == nullptr) return;
  if (heads[0]->kind() == Node::Kind::dict) {
    const bool has_one = facts[0] != nullptr && facts[0]->kind() == Node::Kind::dict;
    add_consolidated(heads, has_one ? facts : std::vector<const Node*>(heads.size()), "", out);
    return;
  }
  for (std::size_t i = 0; i < heads[0]->as_items().size(); ++i) {
    const auto item = [this, i](const Node& node) -> const Node* {
      const bool is_list = node.kind() == Node::Kind::list || node.kind() == Node::Kind::tuple;
      if (!is_list) return nullptr;
      if (i >= node.as_items().size()) damaged("the shards list different heads");
      return &node.as_items()[i];
    };
    const auto head = all(heads, item);
    if (std::ranges::find(head, nullptr) != head.end()) damaged("the shards list different heads");
    add_consolidated(head, all(facts, item), std::to_string(i) + ".", out);
  }
}

Node VisslParts::joined_shards(const Node& list) {
  std::vector<Node> shards;
  for (const Node& stored : list.at("shards").as_items()) shards.push_back(read_part(stored));
  if (shards.empty()) damaged("lists no shards");
  std::vector<const Node*> models;
  std::vector<const Node*> metas;
  const auto& paths = list.at("shards").as_items();
  for (std::size_t rank = 0; rank < shards.size(); ++rank) {
    part_ = paths[rank].as_text();
    const Node& base = shards[rank].at("classy_state_dict").at("base_model");
    models.push_back(&base.at("model"));
    metas.push_back(base.find("meta"));
  }
  std::vector<const Node*> trunks;
  std::vector<const Node*> facts;
  for (std::size_t rank = 0; rank < shards.size(); ++rank) {
    part_ = paths[rank].as_text();
    trunks.push_back(&models[rank]->at("trunk"));
    facts.push_back(metas[rank] == nullptr ? nullptr : metas[rank]->find("trunk"));
  }
  part_.clear();
  Dict trunk;
  Dict heads;
  add_consolidated(trunks, facts, "", trunk);
  add_heads(models, metas, heads);
  Node model = Node::dict();
  model["trunk"] = Node(std::move(trunk));
  model["heads"] = Node(std::move(heads));
  return model;
}

void VisslParts::add_slices(const Node& paths, const std::string& prefix, Dict& out) {
  for (const Dict::Entry& entry : paths.as_dict().entries()) {
    const Node slice = read_part(entry.value);
    out.set(prefix + clean_name(to_text(entry.key)), slice.at("weight"));
  }
}

// {"classy_state_dict": {"base_model": {"model": {"trunk": {name: path}, "heads": ...}}}}, older
// ones {"layers": {name: path}}.
Node VisslParts::joined_slices(const Node& list) {
  Dict trunk;
  Dict heads;
  if (const Node* layers = list.find("layers")) {
    add_slices(*layers, "", trunk);
  } else {
    const Node& model = list.at("classy_state_dict").at("base_model").at("model");
    add_slices(model.at("trunk"), "", trunk);
    const Node* found = model.find("heads");
    if (found != nullptr && found->kind() == Node::Kind::dict) {
      add_slices(*found, "", heads);
    } else if (found != nullptr) {
      for (std::size_t i = 0; i < found->as_items().size(); ++i) {
        add_slices(found->as_items()[i], std::to_string(i) + ".", heads);
      }
    }
  }
  Node model = Node::dict();
  model["trunk"] = Node(std::move(trunk));
  model["heads"] = Node(std::move(heads));
  return model;
}

}  // namespace

void join_vissl_parts(WeightsFile& file, const fs::path& list, const WeightsReadOptions& options) {
  const Node* type = file.tree.find("type");
  if (type == nullptr || type->kind() != Node::Kind::text) return;
  const bool is_shards = type->as_text() == "shard_list";
  if (!is_shards && type->as_text() != "slice_list") return;
  VisslParts parts(list, options);
  Node model;
  try {
    model = is_shards ? parts.joined_shards(file.tree) : parts.joined_slices(file.tree);
  } catch (const Error& error) {
    const std::string text = error.what();
    if (text.starts_with(list.string())) throw;
    const std::string part =
        parts.part().empty() ? "a part" : "the part " + quoted_name(parts.part());
    throw Error(error.code(),
                list.string() + ": " + part + " of this list cannot be used: " + text);
  }
  file.format = is_shards ? "vissl_shard_list" : "vissl_slice_list";
  file.tree["classy_state_dict"]["base_model"]["model"] = std::move(model);
}

}  // namespace vissl::host
