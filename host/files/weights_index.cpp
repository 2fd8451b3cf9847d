#include "host/files/weights_index.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "host/files/damage.hpp"
#include "host/files/error.hpp"
#include "host/files/mapped_file.hpp"
#include "host/files/pickle_tree.hpp"
#include "host/files/sniff.hpp"

namespace vissl::host {
namespace {

using Json = nlohmann::ordered_json;

Json parsed(const FileBytes& index) {
  constexpr std::size_t kLargest = std::size_t{64} << 20;
  constexpr int kDeepest = 8;
  if (index.bytes.size() > kLargest) {
    throw Error(Exit::bad_data, index.name + ": is a JSON file of " +
                                    std::to_string(index.bytes.size()) +
                                    " bytes, too large for an index of weights; name a file of "
                                    "weights");
  }
  const auto limit_depth = [&index](int depth, Json::parse_event_t, Json&) {
    if (depth > kDeepest) throw_damaged(index.name, "has JSON that is nested too deep");
    return true;
  };
  const std::string_view text = as_text(index.bytes);
  try {
    return Json::parse(text.begin(), text.end(), limit_depth);
  } catch (const Json::parse_error& error) {
    throw_damaged(index.name, "begins like JSON but is none",
                  std::max<std::size_t>(error.byte, 1) - 1);  // counted from 1
  }
}

bool is_plain_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\\\0", 3)) == std::string::npos;
}

}  // namespace

void read_weights_index(const FileBytes& index, const WeightsReadOptions& options,
                        WeightsFile& out) {
  const Json json = parsed(index);
  const auto map = json.is_object() ? json.find("weight_map") : json.end();
  if (!json.is_object() || map == json.end() || !map->is_object()) {
    throw UnknownFormat(index.name +
                        ": is JSON without a \"weight_map\", so it is no index of weights; name "
                        "a file of weights");
  }
  std::vector<std::string> files;
  for (const auto& [tensor, place] : map->items()) {
    if (!place.is_string() || !is_plain_name(place.get_ref<const std::string&>())) {
      throw Error(Exit::bad_data, index.name + ": names " + quoted_name(place.dump()) +
                                      " for the tensor " + quoted_name(tensor) +
                                      ", which is no name of a file beside it; refused");
    }
    const std::string& name = place.get_ref<const std::string&>();
    if (std::ranges::find(files, name) == files.end()) files.push_back(name);
  }
  Dict tensors;
  bool is_safetensors = true;
  const std::filesystem::path folder = std::filesystem::path(index.name).parent_path();
  for (const std::string& name : files) {
    const auto mapped = MappedFile::open(folder / name);
    if (begins_like_json(mapped->bytes())) {
      throw Error(Exit::bad_data, mapped->name() +
                                      ": is an index itself, not a file of weights, which the "
                                      "index " +
                                      index.name + " needs; use another copy");
    }
    WeightsFile shard =
        read_weights({mapped->bytes(), mapped, mapped->name(), mapped->name()}, options);
    is_safetensors = is_safetensors && shard.format == "safetensors";
    if (shard.tree.kind() != Node::Kind::dict) {
      throw Error(Exit::bad_data, (folder / name).string() +
                                      ": is no plain file of named tensors, as the index " +
                                      index.name + " needs; use another copy");
    }
    for (std::string& warning : shard.warnings) {
      out.warnings.push_back(quoted_name(name) + ": " + warning);
    }
    for (Dict::Entry& entry : shard.tree.as_dict().entries()) {
      const std::string key = to_text(entry.key);
      const auto listed = map->find(key);
      if (listed == map->end()) {
        out.warnings.push_back(quoted_name(name) + " holds the tensor " + quoted_name(key) +
                               ", which the index does not list");
      }
      if (tensors.find(entry.key) != nullptr) {
        throw Error(Exit::bad_data, index.name + ": the tensor " + quoted_name(key) +
                                        " stands in two files, the second is " + quoted_name(name) +
                                        "; use another copy");
      }
      if (listed == map->end() || *listed == name) tensors.set(entry.key, std::move(entry.value));
    }
  }
  for (const auto& [tensor, place] : map->items()) {
    if (tensors.find(tensor) == nullptr) {
      throw Error(Exit::bad_data, index.name + ": the tensor " + quoted_name(tensor) +
                                      " is not in " + quoted_name(place.get<std::string>()) +
                                      ", where the index says it is; use another copy");
    }
  }
  out.format = is_safetensors ? "safetensors_index" : "torch_index";
  out.tree = Node(std::move(tensors));
}

}  // namespace vissl::host
