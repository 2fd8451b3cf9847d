#include <algorithm>
#include <map>

#include "host/cli/commands.hpp"
#include "host/cli/weights_input.hpp"
#include "host/config/schema.hpp"
#include "host/files/counted.hpp"
#include "host/files/derived_tensors.hpp"
#include "host/files/printable.hpp"
#include "host/files/tensor_list.hpp"
#include "host/weights/rename.hpp"
#include "host/weights/slices.hpp"

namespace vissl::host {
namespace {

constexpr std::size_t kMostNames = 5;  // of one reason

// The component that a config gets where it names none.
std::string default_component(const SchemaKey& schema, std::string_view kind) {
  if (holds_components(schema) && schema.param.component_kind == kind) return schema.default_name;
  for (const SchemaKey& key : schema.inner)
    if (std::string name = default_component(key, kind); !name.empty()) return name;
  return "";
}

// A config of the component with its defaults, for the file `path`.
Value config_of(const Declaration& declaration, const std::string& path) {
  Value config = Value::table();
  config.set("name", Value::text(declaration.name));
  for (const Param& param : declaration.params)
    if (param.fallback) config.set(param.name, *param.fallback);
  config.set("params_file", Value::text(path));
  return config;
}

// OUT must be a new file in all but --force, and never IN.
void check_output(const std::string& in, const std::string& out, bool force) {
  std::error_code ignored;
  if (std::filesystem::equivalent(in, out, ignored))
    throw Error(Exit::usage, "'" + in + "' and '" + out +
                                 "' are the same file; give another name for the new one");
  if (std::filesystem::is_directory(out, ignored))
    throw Error(Exit::usage, "'" + out + "' is a folder; give the name of the file to write");
  if (!force && std::filesystem::exists(std::filesystem::symlink_status(out, ignored)))
    throw Error(Exit::usage, "'" + out + "' exists; --force replaces it");
}

std::int64_t tensor_count(const Node& tree) {
  std::int64_t count = 0;
  for_each_tensor(tree, [&count](const std::string&, const TensorRef&) { ++count; });
  return count;
}

std::int64_t quantized_count(const Node& tree) {
  std::int64_t count = 0;
  for_each_tensor(tree, [&count](const std::string&, const TensorRef& tensor) {
    if (is_quantized(tensor.dtype)) ++count;
  });
  return count;
}

// The file as it can be written: no container has a place for the scale of a quantised tensor.
WeightsFile read_input(WeightsInput& input, ConsoleLogger& log) {
  WeightsFile file = input.read(/*verify=*/true);
  if (const std::int64_t quantized = quantized_count(file.tree); quantized > 0) {
    file = input.read(/*verify=*/false, /*dequantize=*/true);
    log.log(LogLevel::warning, input.path() + ": " + counted(quantized, "quantised tensor") +
                                   (quantized == 1 ? " becomes" : " become") +
                                   " float32, scale and zero point applied");
  }
  for (const std::string& warning : file.warnings)
    log.log(LogLevel::warning, input.path() + ": " + warning);
  return file;
}

// Reasons with the first names of each. The name of the whole of `tree` is empty.
std::string left_out_text(const std::vector<LeftOut>& left_out, const Node& tree) {
  const char* nameless = tree.kind() == Node::Kind::dict ? "''" : "(the file itself)";
  std::vector<std::string> order;
  std::map<std::string, std::vector<const std::string*>> by_reason;
  for (const LeftOut& item : left_out) {
    auto& names = by_reason[item.reason];
    if (names.empty()) order.push_back(item.reason);
    names.push_back(&item.name);
  }
  std::string out;
  for (const std::string& reason : order) {
    const auto& names = by_reason[reason];
    out += "left out, " + printable(reason) + ": " + std::to_string(names.size()) + "\n";
    for (std::size_t i = 0; i < std::min(names.size(), kMostNames); ++i)
      out += "  " + (names[i]->empty() ? nameless : printable(*names[i])) + "\n";
    if (names.size() > kMostNames)
      out += "  and " + std::to_string(names.size() - kMostNames) + " more; --verbose lists all\n";
  }
  return out;
}

}  // namespace

int convert_command(const CommandContext& context) {
  const Options& options = context.options;
  const std::string& out = options.name;
  if (options.to.empty())
    throw Error(Exit::usage,
                "'convert' needs --to: vissl, torchvision or another system's names, or torch or "
                "safetensors for another container");
  const bool is_sliced = options.to == "sliced";
  const bool same_names = options.to == "torch" || options.to == "safetensors" || is_sliced;
  Container container = container_of(out);
  if (options.to == "safetensors") container = Container::safetensors;
  if (options.to == "torch" || is_sliced) container = Container::torch;
  check_ending(out, container);
  WeightsInput input(context);
  const std::string& in = input.path();
  check_output(in, out, options.force);
  const WeightsFile file = read_input(input, context.log);
  Contents contents;
  if (same_names) {
    if (!options.from.empty() || options.depth != 0 || options.heads || options.bgr)
      throw Error(Exit::usage, "--to " + options.to +
                                   " changes the container alone; --from, --depth, --heads and "
                                   "--bgr belong to another system's names");
    if (is_sliced) {
      if (!options.part.empty())
        throw Error(Exit::usage, "--to sliced takes the whole model; leave out --part");
      if (!options.force && std::filesystem::exists(slices_folder(out)))
        throw Error(Exit::usage, "the folder '" + slices_folder(out).string() +
                                     "' of the slices exists; --force replaces them");
      contents = write_slices(out, file, in);
    } else {
      contents = contents_of(file, container, options.part, in);
    }
  } else {
    Session& session = input.session();
    const std::string name = default_component(root_schema(), "weights");
    const Declaration* declaration = session.catalogue().find("weights", name, "");
    if (declaration == nullptr)
      throw Error(Exit::usage, "there is no component 'weights/" + name +
                                   "', which knows the names "
                                   "of other systems (looked in " +
                                   session.catalogue().searched() +
                                   "); name the folder of its plugin with --plugins");
    const Value config = config_of(*declaration, in);
    const auto profile = session.catalogue().create("weights", &config);
    RenameRequest request = {options.to,    options.from,  options.part,
                             options.depth, options.heads, options.bgr};
    Renamed renamed = rename_weights(file, request, container, in,
                                     profile->as<vissl_weights_profile_class>(), profile->self());
    contents = std::move(renamed.contents);
    for (const WeightsMessage& message : renamed.messages)
      context.log.log(static_cast<LogLevel>(std::min<std::uint32_t>(message.level, 3)),
                      message.line);
  }
  if (!is_sliced) write_container(out, container, contents);
  for (const LeftOut& item : contents.left_out)
    context.log.log(LogLevel::debug, "left out: " + item.name + ": " + item.reason);
  print(printable(in) + ": " + file.format + ", " + counted(tensor_count(file.tree), "tensor") +
        "\n" + left_out_text(contents.left_out, file.tree) + printable(out) + ": " +
        (is_sliced ? "slices in " + printable(slices_folder(out).string()) : name_of(container)) +
        ", " + counted(tensor_count(contents.tree), "tensor") + "\n");
  return 0;
}

}  // namespace vissl::host
