#include "host/files/torch_objects.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "host/files/damage.hpp"
#include "host/files/error.hpp"
#include "host/files/torch_object_builder.hpp"

namespace vissl::host {
namespace {

// Whether calling this could harm the reader: what attacks on Python's pickle are made of.
bool is_suspicious(std::string_view name) {
  constexpr std::array<std::string_view, 15> kModules = {
      "os.",        "posix.",  "nt.",     "subprocess.", "sys.",
      "importlib.", "shutil.", "socket.", "webbrowser.", "runpy.",
      "code.",      "pty.",    "ctypes.", "pickle.",     "bdb."};
  constexpr std::array<std::string_view, 7> kFunctions = {
      "builtins.getattr", "builtins.eval",       "builtins.exec", "builtins.compile",
      "builtins.open",    "builtins.__import__", "builtins.input"};
  return std::ranges::find(kFunctions, name) != kFunctions.end() ||
         std::ranges::any_of(kModules, [&](std::string_view m) { return name.starts_with(m); });
}

// numpy 2 calls numpy.core by another name.
std::string_view without_prefix(std::string_view name, std::string_view prefix) {
  return name.starts_with(prefix) ? name.substr(prefix.size()) : std::string_view();
}

}  // namespace

std::string TorchObjects::label() const {
  return path_.empty() ? file_ : file_ + ": " + quoted_name(path_);
}

void TorchObjects::damaged(const std::string& what) const {
  throw_damaged(label(), what);
}

void TorchObjects::warn(std::string sentence) const {
  if (options_.warnings == nullptr) return;
  std::vector<std::string>& all = *options_.warnings;
  // A file may have the same to say of each of its tensors.
  constexpr std::ptrdiff_t kRecent = 16;
  const auto recent = all.end() - std::min(kRecent, std::ssize(all));
  if (std::find(recent, all.end(), sentence) == all.end()) all.push_back(std::move(sentence));
}

void TorchObjects::spend(std::uint64_t nodes) {
  nodes_ += nodes;
  if (nodes_ > most_nodes_) damaged("holds too many values");
}

void TorchObjects::judge_names() const {
  std::set<std::string_view> met;
  for (const PickleObject& object : graph_.objects) {
    if (object.kind == Kind::global && is_suspicious(object.text)) met.insert(object.text);
  }
  for (const std::string_view name : met) {
    if (options_.refuse_suspicious) {
      throw Error(Exit::bad_data, file_ + ": contains a reference to " + quoted_name(name) +
                                      ", which a Python loader would run; do not use this file");
    }
    warn("contains a reference to " + quoted_name(name) +
         ", which a Python loader would run; nothing of it was run here");
  }
}

Node TorchObjects::read() {
  judge_names();
  // Sharing may make the tree larger than the pickle, but a small pickle makes no large tree.
  constexpr std::uint64_t kLeast = 200'000;
  constexpr std::uint64_t kPerObject = 32;
  most_nodes_ = std::min(options_.most_nodes, kLeast + kPerObject * graph_.objects.size());
  most_nodes_ += graph_.source.size() / 64;
  return value(graph_.root, 0);
}

Node TorchObjects::value(PickleId id, int depth) {
  if (depth > options_.deepest) damaged("is nested too deep");
  const PickleObject& object = graph_[id];
  spend(1 + object.text.size() / 64);
  switch (object.kind) {
    case Kind::none:
      return {};
    case Kind::boolean:
      return Node(object.integer != 0);
    case Kind::integer:
      return Node(object.integer);
    case Kind::real:
      return Node(object.real);
    case Kind::text:
      return Node(object.text);
    case Kind::bytes:
      return Node(Bytes{std::string(object.text)});
    case Kind::big_integer:
      return Node(Opaque{"builtins.int", {{"args", Node(Bytes{std::string(object.text)})}}});
    case Kind::global:
      return Node(Opaque{std::string(object.text), {}});
    default:
      break;
  }
  if (is_open_[id]) return Node(Opaque{"reference to an enclosing object", {}});
  is_open_[id] = true;
  Node node = closed_value(object, depth);
  is_open_[id] = false;
  return node;
}

Node TorchObjects::closed_value(const PickleObject& object, int depth) {
  switch (object.kind) {
    case Kind::list:
      return Node(List{values(object.elements, depth)});
    case Kind::tuple:
      return Node(Tuple{values(object.elements, depth)});
    case Kind::set:
      return Node(Opaque{"builtins.set", {{"elements", List{values(object.elements, depth)}}}});
    case Kind::dict:
      return dict(object.pairs, false, depth);
    case Kind::call:
      return call(object, depth);
    default:
      return persistent(object, depth);
  }
}

// One level below what is being read.
Node TorchObjects::value_at(std::string_view key, PickleId id, int depth) {
  constexpr std::size_t kLongest = 200;
  const std::size_t before = path_.size();
  if (before > 0) path_ += '.';
  path_ += key.substr(0, kLongest);
  Node node = value(id, depth + 1);
  path_.resize(before);
  return node;
}

std::vector<Node> TorchObjects::values(const Ids& ids, int depth) {
  std::vector<Node> nodes;
  nodes.reserve(std::min<std::size_t>(ids.size(), options_.most_nodes));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    nodes.push_back(value_at(std::to_string(i), ids[i], depth));
  }
  return nodes;
}

Node TorchObjects::dict(const Ids& pairs, bool is_ordered_dict, int depth) {
  Dict dict;
  dict.is_ordered_dict = is_ordered_dict;
  for (std::size_t i = 0; i < pairs.size(); i += 2) {
    const PickleObject& key = graph_[pairs[i]];
    spend(1 + key.text.size() / 64);
    switch (key.kind) {
      case Kind::text:
      case Kind::bytes:  // text that Python 2 wrote
        dict.set(std::string(key.text), value_at(key.text, pairs[i + 1], depth));
        break;
      case Kind::integer:
      case Kind::boolean:
        dict.set(key.integer, value_at(std::to_string(key.integer), pairs[i + 1], depth));
        break;
      default: {
        std::string name;
        if (!add_key_text(pairs[i], name, 0)) {
          // Objects as keys have no place in a Dict: keep the pairs, in order, for whoever cares.
          return Node(Opaque{"builtins.dict", {{"pairs", List{values(pairs, depth)}}}});
        }
        Node member = value_at(name, pairs[i + 1], depth);
        dict.set(std::move(name), std::move(member));
      }
    }
  }
  return Node(std::move(dict));
}

// A key that is neither text nor a whole number, as Python prints it: None, 0.5, ('a', 1).
bool TorchObjects::add_key_text(PickleId id, std::string& out, int depth) const {
  constexpr int kDeepest = 4;
  constexpr std::size_t kLongest = 4096;
  const PickleObject& key = graph_[id];
  if (depth > kDeepest || out.size() > kLongest) return false;
  switch (key.kind) {
    case Kind::none:
      out += "None";
      return true;
    case Kind::boolean:
      out += key.integer != 0 ? "True" : "False";
      return true;
    case Kind::integer:
      out += std::to_string(key.integer);
      return true;
    case Kind::real: {
      char text[32];
      const std::string digits(text, std::to_chars(text, text + sizeof text, key.real).ptr);
      const bool is_whole = digits.find_first_not_of("-0123456789") == std::string::npos;
      out += digits + (is_whole ? ".0" : "");
      return true;
    }
    case Kind::text:
    case Kind::bytes:
      out += "'" + std::string(key.text.substr(0, kLongest)) + "'";
      return true;
    case Kind::tuple:
      out += "(";
      for (const PickleId element : key.elements) {
        if (!out.ends_with('(')) out += ", ";
        if (!add_key_text(element, out, depth + 1)) return false;
      }
      out += key.elements.size() == 1 ? ",)" : ")";
      return true;
    default:
      return false;
  }
}

const TorchObjects::Ids& TorchObjects::elements(PickleId id) const {
  static const Ids kNone;
  if (id == kNoPickle) return kNone;
  const PickleObject& object = graph_[id];
  return object.kind == Kind::tuple || object.kind == Kind::list ? object.elements : kNone;
}

const TorchObjects::Ids& TorchObjects::arguments(const PickleObject& object) const {
  return elements(object.args);
}

std::string TorchObjects::global_name(PickleId id) const {
  return graph_[id].kind == Kind::global ? std::string(graph_[id].text) : std::string();
}

// Of what is called: a class, or ('module', class, file, source), with which torch's first format
// saved a module's class together with its source text.
std::string TorchObjects::callable_name(PickleId id) const {
  const PickleObject& object = graph_[id];
  if (object.kind == Kind::persistent) {
    const Ids& parts = elements(object.args);
    if (parts.size() >= 2 && graph_[parts[0]].text == "module") return global_name(parts[1]);
  }
  return global_name(id);
}

std::int64_t TorchObjects::integer(PickleId id) const {
  if (graph_[id].kind != Kind::integer) damaged("has a tensor with a number that is no integer");
  return graph_[id].integer;
}

// A tuple of integers; also torch.Size(tuple).
std::vector<std::int64_t> TorchObjects::integers(PickleId id) const {
  constexpr std::size_t kMostDimensions = 64;
  const PickleObject* object = &graph_[id];
  if (object->kind == Kind::call && global_name(object->callable) == "torch.Size") {
    const Ids& args = arguments(*object);
    if (args.size() == 1) object = &graph_[args[0]];
  }
  if ((object->kind != Kind::tuple && object->kind != Kind::list) ||
      object->elements.size() > kMostDimensions) {
    damaged("has a tensor with a bad shape");
  }
  std::vector<std::int64_t> numbers;
  for (const PickleId element : object->elements) numbers.push_back(integer(element));
  return numbers;
}

Node TorchObjects::call(const PickleObject& object, int depth) {
  const std::string name = callable_name(object.callable);
  bool is_known = !name.empty();
  Node node = is_known ? known_call(name, object, depth, is_known) : Node();
  return is_known ? node : opaque(object, depth);
}

// What the names mean. A known name in a form that is not known leaves `is_known` false.
Node TorchObjects::known_call(std::string_view name, const PickleObject& object, int depth,
                              bool& is_known) {
  const Ids& args = arguments(object);
  if (name == "collections.OrderedDict") return ordered_dict(object, depth);
  if (name == "collections.defaultdict") return dict(object.pairs, false, depth);
  if (name == "collections.Counter") return counter(object, depth);
  if (name == "_codecs.encode") return bytes(args);
  if (name == "builtins.set" || name == "builtins.frozenset") return set(name, args, depth);
  if (name == "builtins.bytearray" && args.size() == 2) return bytes(args);
  if ((name == "builtins.bytearray" || name == "builtins.bytes") && args.size() < 2) {
    if (args.empty()) return Node(Bytes{});
    if (graph_[args[0]].kind == Kind::bytes) return value(args[0], depth + 1);
  }
  if (name == "torch.Size" && args.size() == 1)
    return Node(Tuple{values(elements(args[0]), depth)});
  if (name == "torch.device" && !args.empty() && graph_[args[0]].kind == Kind::text) {
    std::string device(graph_[args[0]].text);
    if (args.size() > 1) device += ":" + std::to_string(graph_[args[1]].integer);
    return Node(std::move(device));
  }
  if (name == "torch.serialization._get_layout" && args.size() == 1) {
    return value(args[0], depth + 1);
  }
  if (const auto function = without_prefix(name, "torch._utils."); !function.empty()) {
    if (function == "_rebuild_tensor" || function == "_rebuild_tensor_v2" ||
        function == "_rebuild_tensor_v3") {
      return tensor(function, args);
    }
    if (function == "_rebuild_parameter" || function == "_rebuild_parameter_with_state") {
      return parameter(args, depth);
    }
    if (function == "_rebuild_qtensor") return quantized(args, depth);
    if (function.starts_with("_rebuild_sparse_")) return sparse(function, args, depth);
    if (function == "_rebuild_meta_tensor_no_storage") return without_data(args, depth);
    if ((function == "_rebuild_device_tensor_from_numpy" || function == "_rebuild_xla_tensor" ||
         function == "_rebuild_device_tensor_from_cpu_tensor") &&
        !args.empty()) {
      return value(args[0], depth + 1);
    }
  }
  if (name == "torch._tensor._rebuild_from_type_v2" || name == "torch.tensor._rebuild_from_type" ||
      name == "torch._tensor._rebuild_from_type" || name == "torch.tensor._rebuild_from_type_v2") {
    return from_type(args, depth);
  }
  if ((name == "torch.nn.parameter.Parameter" || name == "torch.autograd.variable.Variable") &&
      !args.empty()) {
    Node data = value(args[0], depth + 1);
    if (data.kind() == Node::Kind::tensor) {
      TensorRef tensor = data.as_tensor();
      tensor.is_parameter = name == "torch.nn.parameter.Parameter";
      return Node(std::move(tensor));
    }
  }
  if (is_tensor_class(name) && elements(object.state).size() == 4) {
    return tensor("_rebuild_tensor", elements(object.state));
  }
  if (name.starts_with("torch.jit._pickle.") && !args.empty()) return value(args[0], depth + 1);
  auto numpy = without_prefix(name, "numpy.core.");
  if (numpy.empty()) numpy = without_prefix(name, "numpy._core.");
  if (numpy == "multiarray._reconstruct") return array(object, depth);
  if (numpy == "multiarray.scalar") return scalar(args, object, depth);
  if (numpy == "numeric._frombuffer" && args.size() == 4) return array_from_buffer(args, depth);
  is_known = false;
  return {};
}

Node TorchObjects::ordered_dict(const PickleObject& object, int depth) {
  Ids pairs;
  const Ids& args = arguments(object);
  if (args.size() == 1) {  // OrderedDict([[key, value], ...]), as Python 2 writes it
    for (const PickleId id : graph_[args[0]].elements) {
      const PickleObject& pair = graph_[id];
      if (pair.elements.size() != 2) damaged("has an OrderedDict that is not made of pairs");
      pairs.insert(pairs.end(), pair.elements.begin(), pair.elements.end());
    }
  }
  pairs.insert(pairs.end(), object.pairs.begin(), object.pairs.end());
  Node node = dict(pairs, true, depth);
  if (object.state != kNoPickle && node.kind() == Node::Kind::dict) {
    node.as_dict().attributes = std::make_shared<const Node>(value(object.state, depth + 1));
  }
  return node;
}

// Counter({key: count}).
Node TorchObjects::counter(const PickleObject& object, int depth) {
  const Ids& args = arguments(object);
  Ids pairs;
  if (args.size() == 1) pairs = graph_[args[0]].pairs;
  pairs.insert(pairs.end(), object.pairs.begin(), object.pairs.end());
  return dict(pairs, false, depth);
}

Node TorchObjects::set(std::string_view name, const Ids& args, int depth) {
  List members;
  if (!args.empty()) members.items = values(elements(args[0]), depth);
  return Node(Opaque{std::string(name), {{"elements", Node(std::move(members))}}});
}

Node TorchObjects::persistent(const PickleObject& object, int depth) {
  const PickleObject& id = graph_[object.args];
  if (id.kind == Kind::text || id.kind == Kind::bytes || id.kind == Kind::integer) {
    const std::string key =
        id.kind == Kind::integer ? std::to_string(id.integer) : std::string(id.text);
    if (const TensorRef* tensor = source_.tensor(key)) return Node(*tensor);
  }
  const auto place = static_cast<PickleId>(&object - graph_.objects.data());
  if (std::string name = callable_name(place); !name.empty()) {
    return Node(Opaque{std::move(name), {}});
  }
  if (const Ids& parts = elements(object.args);
      parts.size() >= 5 && graph_[parts[0]].text == "storage") {
    return flat_storage(place);
  }
  return Node(Opaque{"persistent id", {{"args", value(object.args, depth + 1)}}});
}

Node TorchObjects::opaque(const PickleObject& object, int depth) {
  Opaque opaque;
  opaque.class_name = callable_name(object.callable);
  if (opaque.class_name.empty()) {
    opaque.class_name = "unnamed";
    opaque.parts.emplace_back("callable", value(object.callable, depth + 1));
  }
  const Ids& args = arguments(object);
  if ((opaque.class_name == "copyreg._reconstructor" ||
       opaque.class_name == "copyreg.__newobj__") &&
      !args.empty() && !callable_name(args[0]).empty()) {
    opaque.class_name = callable_name(args[0]);
  }
  opaque.parts.emplace_back("args", value(object.args, depth + 1));
  if (object.state != kNoPickle) {
    opaque.parts.emplace_back("state", value(object.state, depth + 1));
  }
  if (!object.elements.empty()) {
    opaque.parts.emplace_back("elements", List{values(object.elements, depth)});
  }
  if (!object.pairs.empty()) {
    opaque.parts.emplace_back("items", dict(object.pairs, false, depth + 1));
  }
  return Node(std::move(opaque));
}

Node torch_objects(const PickleGraph& graph, StorageSource& source, const std::string& file,
                   const TorchObjectOptions& options) {
  return TorchObjects(graph, source, file, options).read();
}

}  // namespace vissl::host
