#include "host/files/node.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "host/files/damage.hpp"
#include "host/files/error.hpp"

namespace vissl::host {

std::string to_text(const Key& key) {
  if (const auto* text = std::get_if<std::string>(&key)) return *text;
  return std::to_string(std::get<std::int64_t>(key));
}

Dict::Dict() = default;
Dict::Dict(const Dict&) = default;
Dict::Dict(Dict&&) noexcept = default;
Dict& Dict::operator=(const Dict&) = default;
Dict& Dict::operator=(Dict&&) noexcept = default;
Dict::~Dict() = default;

Node& Dict::set(Key key, Node value) {
  const auto [place, is_new] = index_.try_emplace(key, entries_.size());
  if (is_new) {
    entries_.push_back({std::move(key), std::move(value)});
  } else {
    entries_[place->second].value = std::move(value);
  }
  return entries_[place->second].value;
}

const Node* Dict::find(const Key& key) const {
  const auto found = index_.find(key);
  return found == index_.end() ? nullptr : &entries_[found->second].value;
}

Node* Dict::find(const Key& key) {
  const auto found = index_.find(key);
  return found == index_.end() ? nullptr : &entries_[found->second].value;
}

std::size_t Dict::size() const {
  return entries_.size();
}

Node Node::ordered_dict() {
  Dict dict;
  dict.is_ordered_dict = true;
  return Node(std::move(dict));
}

const char* Node::name_of(Kind kind) {
  constexpr const char* kNames[] = {"none",
                                    "bool",
                                    "int",
                                    "float",
                                    "text",
                                    "bytes",
                                    "list",
                                    "tuple",
                                    "dict",
                                    "tensor",
                                    "object of a foreign class"};
  return kNames[static_cast<int>(kind)];
}

void Node::throw_not(const char* wanted) const {
  throw Error(Exit::bad_data, std::string("expected ") + wanted + " in the file, found " +
                                  name_of(kind()) + "; it was not written by this program");
}

bool Node::as_bool() const {
  if (const auto* v = std::get_if<bool>(&value_)) return *v;
  throw_not("bool");
}
std::int64_t Node::as_int() const {
  if (const auto* v = std::get_if<std::int64_t>(&value_)) return *v;
  throw_not("int");
}
double Node::as_real() const {
  if (const auto* v = std::get_if<double>(&value_)) return *v;
  if (const auto* v = std::get_if<std::int64_t>(&value_)) return static_cast<double>(*v);
  throw_not("float");
}
const std::string& Node::as_text() const {
  if (const auto* v = std::get_if<std::string>(&value_)) return *v;
  throw_not("text");
}
const std::string& Node::as_bytes() const {
  if (const auto* v = std::get_if<Bytes>(&value_)) return v->data;
  throw_not("bytes");
}
const std::vector<Node>& Node::as_items() const {
  if (const auto* v = std::get_if<List>(&value_)) return v->items;
  if (const auto* v = std::get_if<Tuple>(&value_)) return v->items;
  throw_not("list");
}
std::vector<Node>& Node::as_items() {
  return const_cast<std::vector<Node>&>(std::as_const(*this).as_items());
}
const Dict& Node::as_dict() const {
  if (const auto* v = std::get_if<Dict>(&value_)) return *v;
  throw_not("dict");
}
Dict& Node::as_dict() {
  if (auto* v = std::get_if<Dict>(&value_)) return *v;
  throw_not("dict");
}
const TensorRef& Node::as_tensor() const {
  if (const auto* v = std::get_if<TensorRef>(&value_)) return *v;
  throw_not("tensor");
}
const Opaque& Node::as_opaque() const {
  if (const auto* v = std::get_if<Opaque>(&value_)) return *v;
  throw_not("object of a foreign class");
}

Opaque& Node::as_opaque() {
  return const_cast<Opaque&>(std::as_const(*this).as_opaque());
}

const Node* Node::find(const Key& key) const {
  const auto* dict = std::get_if<Dict>(&value_);
  return dict == nullptr ? nullptr : dict->find(key);
}

const Node& Node::at(const Key& key) const {
  const Dict& dict = as_dict();
  if (const Node* found = dict.find(key)) return *found;
  constexpr std::size_t kShown = 8;
  std::string keys;
  for (const auto& entry : dict.entries()) {
    if (&entry - dict.entries().data() == kShown) {
      keys += ", ...";
      break;
    }
    keys += (keys.empty() ? "" : ", ") + quoted_name(to_text(entry.key));
  }
  throw Error(Exit::bad_data, "the file has no entry " + quoted_name(to_text(key)) +
                                  " where it has " + (keys.empty() ? "nothing" : keys) +
                                  "; it was not written by this program");
}

Node& Node::operator[](const Key& key) {
  if (is_none()) value_ = Dict{};
  Dict& dict = as_dict();
  if (Node* found = dict.find(key)) return *found;
  return dict.set(key, Node{});
}

Node& Node::append(Node value) {
  if (is_none()) value_ = List{};
  auto* list = std::get_if<List>(&value_);
  if (list == nullptr) throw_not("list");
  return list->items.emplace_back(std::move(value));
}

bool same_values(const Node& a, const Node& b) {
  using Kind = Node::Kind;
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::none:
      return true;
    case Kind::boolean:
      return a.as_bool() == b.as_bool();
    case Kind::integer:
      return a.as_int() == b.as_int();
    case Kind::real:
      return std::bit_cast<std::uint64_t>(a.as_real()) == std::bit_cast<std::uint64_t>(b.as_real());
    case Kind::text:
      return a.as_text() == b.as_text();
    case Kind::bytes:
      return a.as_bytes() == b.as_bytes();
    case Kind::list:
    case Kind::tuple:
      return std::ranges::equal(a.as_items(), b.as_items(), same_values);
    case Kind::dict:
      return std::ranges::equal(a.as_dict().entries(), b.as_dict().entries(),
                                [](const Dict::Entry& x, const Dict::Entry& y) {
                                  return x.key == y.key && same_values(x.value, y.value);
                                });
    case Kind::tensor: {
      const TensorRef& x = a.as_tensor();
      const TensorRef& y = b.as_tensor();
      return x.dtype == y.dtype && x.shape == y.shape && x.packed() == y.packed();
    }
    case Kind::opaque:
      return a.as_opaque().class_name == b.as_opaque().class_name &&
             std::ranges::equal(a.as_opaque().parts, b.as_opaque().parts,
                                [](const auto& x, const auto& y) {
                                  return x.first == y.first && same_values(x.second, y.second);
                                });
  }
  return false;
}

}  // namespace vissl::host
