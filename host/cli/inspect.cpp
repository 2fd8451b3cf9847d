#include "host/cli/inspect.hpp"

#include <algorithm>

#include "host/cli/json_text.hpp"
#include "host/files/counted.hpp"
#include "host/files/derived_tensors.hpp"
#include "host/files/printable.hpp"
#include "host/files/shape_text.hpp"
#include "host/files/tensor_list.hpp"
#include "host/files/torch_objects.hpp"

namespace vissl::host {
namespace {

using Rows = std::vector<std::vector<std::string>>;

// 1,234,567
std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, ',');
  return digits;
}

std::string size_text(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"kB", "MB", "GB", "TB"};
  if (bytes < 1000) return counted(static_cast<std::int64_t>(bytes), "byte");
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (value /= 1000; value >= 1000 && unit + 1 < std::size(kUnits); ++unit) value /= 1000;
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %s", value, kUnits[unit]);
  return text;
}

bool is_container(const Node& node) {
  return node.kind() == Node::Kind::dict || node.kind() == Node::Kind::list ||
         node.kind() == Node::Kind::tuple || node.kind() == Node::Kind::opaque;
}

// A tensor of torch's device "meta".
bool has_no_data(const Node& node) {
  return node.kind() == Node::Kind::opaque && node.as_opaque().class_name == kTensorWithoutData;
}

// Calls `visit(name, child)` for the entries of a dict, the items of a list, the parts of an
// object.
template <class Visit>
void for_each_child(const Node& node, Visit&& visit) {
  if (node.kind() == Node::Kind::dict) {
    for (const auto& entry : node.as_dict().entries()) visit(to_text(entry.key), entry.value);
  } else if (node.kind() == Node::Kind::opaque) {
    for (const auto& [name, part] : node.as_opaque().parts) visit(name, part);
  } else {
    std::size_t index = 0;
    for (const Node& item : node.as_items()) visit(std::to_string(index++), item);
  }
}

// The levels of the tree above its tensors, as rows of name and description.
class Wrappers {
 public:
  Rows rows;

  void add(const std::string& name, const Node& node, int depth) {
    const std::string indent(static_cast<std::size_t>(2 * (depth + 1)), ' ');
    rows.push_back({indent + printable(name), described(node)});
    constexpr int kDeepest = 3;
    constexpr std::size_t kMostChildren = 24;
    if (!is_container(node) || depth == kDeepest || has_no_data(node)) return;
    std::size_t children = 0;
    for_each_child(node, [&](const std::string& child_name, const Node& child) {
      if (child.kind() == Node::Kind::tensor) return;  // listed below with all the others
      if (child_name == "args" && child.kind() == Node::Kind::tuple && child.as_items().empty()) {
        return;  // an object that was made without arguments
      }
      if (++children <= kMostChildren) add(child_name, child, depth + 1);
    });
    if (children > kMostChildren) {
      rows.push_back({indent + "  ...", "and " + grouped(children - kMostChildren) + " more"});
    }
  }

  static std::string described(const Node& node) {
    switch (node.kind()) {
      case Node::Kind::none:
        return "None";
      case Node::Kind::boolean:
        return node.as_bool() ? "True" : "False";
      case Node::Kind::integer:
        return std::to_string(node.as_int());
      case Node::Kind::real: {
        char text[40];
        std::snprintf(text, sizeof text, "%.10g", node.as_real());
        return text;
      }
      case Node::Kind::text:
        return shortened(node.as_text());
      case Node::Kind::bytes:
        return counted(static_cast<std::int64_t>(node.as_bytes().size()), "byte") + ": " +
               shortened(node.as_bytes());
      case Node::Kind::tensor:
        return std::string(facts(node.as_tensor().dtype).name) + " " +
               shape_text(node.as_tensor().shape);
      default:
        return described_container(node);
    }
  }

 private:
  static std::string shortened(const std::string& text) {
    constexpr std::size_t kLongest = 60;
    return text.size() <= kLongest
               ? "'" + printable(text) + "'"
               : "'" + printable(std::string_view(text).substr(0, kLongest)) + "...'";
  }
  // " [4, 3]", or nothing for a shape that is none.
  static std::string shape_of(const Opaque& empty_tensor) {
    if (empty_tensor.parts.empty()) return "";
    const Node& sizes = empty_tensor.parts.front().second;
    if (sizes.kind() != Node::Kind::tuple) return "";
    std::vector<std::int64_t> shape;
    for (const Node& size : sizes.as_items()) {
      if (size.kind() != Node::Kind::integer) return "";
      shape.push_back(size.as_int());
    }
    return " " + shape_text(shape);
  }
  static std::string described_container(const Node& node) {
    std::int64_t children = 0;
    for_each_child(node, [&children](const std::string&, const Node&) { ++children; });
    std::string out;
    if (has_no_data(node)) return "tensor without data" + shape_of(node.as_opaque());
    if (node.kind() == Node::Kind::opaque) {
      out = "object of the class " + printable(node.as_opaque().class_name);
    } else {
      const bool is_ordered = node.kind() == Node::Kind::dict && node.as_dict().is_ordered_dict;
      out = std::string(is_ordered ? "OrderedDict" : Node::name_of(node.kind())) + " of " +
            std::to_string(children);
    }
    std::uint64_t tensors = 0;
    std::uint64_t elements = 0;
    for_each_tensor(node, [&](const std::string&, const TensorRef& tensor) {
      ++tensors;
      elements += static_cast<std::uint64_t>(tensor.numel());
    });
    if (tensors == 0) return out;
    return out + " with " + counted(static_cast<std::int64_t>(tensors), "tensor") + ", " +
           grouped(elements) + (elements == 1 ? " element" : " elements");
  }
};

Rows tensor_rows(const WeightsFile& file, const InspectOptions& options) {
  const char* nameless = file.tree.kind() == Node::Kind::tensor ? "(the file's only tensor)" : "''";
  Rows rows;
  std::uint64_t left_out = 0;
  for_each_tensor(file.tree, [&](const std::string& name, const TensorRef& tensor) {
    if (options.most && rows.size() >= static_cast<std::size_t>(*options.most)) {
      ++left_out;
      return;
    }
    rows.push_back({"  " + (name.empty() ? nameless : printable(name)),
                    std::string(facts(tensor.dtype).name), shape_text(tensor.shape)});
    if (options.with_sha256) rows.back().push_back(tensor_sha256(tensor));
  });
  if (left_out > 0) rows.push_back({"  ...", "and " + grouped(left_out) + " more"});
  return rows;
}

}  // namespace

std::string inspect_json(const WeightsFile& file, bool with_sha256) {
  std::string out = "{\"format\": " + json_quoted(file.format) + ", \"tensors\": [";
  bool is_first = true;
  for_each_tensor(file.tree, [&](const std::string& name, const TensorRef& tensor) {
    out += is_first ? "\n" : ",\n";
    is_first = false;
    out += "  {\"name\": " + json_quoted(name) + ", \"dtype\": \"" +
           std::string(facts(tensor.dtype).name) + "\", \"shape\": " + shape_text(tensor.shape);
    if (with_sha256) out += ", \"sha256\": \"" + tensor_sha256(tensor) + "\"";
    out += "}";
  });
  return out + (is_first ? "]}\n" : "\n]}\n");
}

std::string inspect_text(const std::string& name, const WeightsFile& file, const Terminal& terminal,
                         const InspectOptions& options) {
  const auto title = [&](const char* text) { return terminal.paint(text, Style::bold) + "\n"; };
  std::string out = printable(name) + ": " + file.format +
                    (options.file_bytes ? ", " + size_text(*options.file_bytes) : "") + "\n";
  if (!file.metadata.empty()) {
    Rows rows;
    for (const auto& [key, value] : file.metadata) {
      rows.push_back({"  " + printable(key), printable(value)});
    }
    out += title("Metadata") + terminal.table(rows, {Style::cyan});
  }
  out += title("Contents");
  Wrappers wrappers;
  if (is_container(file.tree)) {
    out += "  " + Wrappers::described(file.tree) + "\n";
    for_each_child(file.tree, [&](const std::string& child_name, const Node& child) {
      if (child.kind() != Node::Kind::tensor) wrappers.add(child_name, child, 0);
    });
  } else {
    wrappers.add("value", file.tree, 0);
  }
  out += terminal.table(wrappers.rows, {Style::cyan});
  if (const Rows rows = tensor_rows(file, options); !rows.empty()) {
    out += title("Tensors") + terminal.table(rows, {Style::cyan, Style::plain, Style::plain});
  }
  if (const auto classes = foreign_classes(file.tree); !classes.empty()) {
    Rows rows;
    for (const auto& [class_name, count] : classes) {
      rows.push_back({"  " + printable(class_name), grouped(static_cast<std::uint64_t>(count))});
    }
    out += title("Objects of foreign classes") + terminal.table(rows, {Style::cyan});
  }
  std::vector<std::string> warnings = file.warnings;
  std::int64_t quantized = 0;
  for_each_tensor(file.tree, [&](const std::string&, const TensorRef& tensor) {
    if (is_quantized(tensor.dtype)) ++quantized;
  });
  if (quantized > 0) {
    warnings.push_back(counted(quantized, "quantised tensor") +
                       ", shown as integers; convert applies scale and zero point");
  }
  if (const std::uint64_t unused = unused_bytes(file.tree); unused > 0) {
    warnings.push_back(size_text(unused) +
                       " of the file belong to no tensor: a view saves its whole storage");
  }
  if (!warnings.empty()) out += title("Warnings");
  for (const std::string& warning : warnings) out += "  " + printable(warning) + "\n";
  return out;
}

}  // namespace vissl::host
