#include "host/runtime/checkpoint/weights_init.hpp"

#include <torch/csrc/autograd/grad_mode.h>
#include <vissl/weights.h>
#include <vissl/weights_scheme.h>

#include <algorithm>
#include <map>
#include <set>

#include "host/files/torch_zip_reader.hpp"
#include "host/runtime/abi/handle.hpp"
#include "host/runtime/checkpoint/tensors.hpp"
#include "host/text_sink.hpp"

namespace vissl::host {

namespace {

struct Source {
  std::string name;  // full dotted path
  const TensorRef* tensor;
};

void collect(const Node& node, const std::string& path, std::vector<Source>& out) {
  const auto down = [&](const std::string& key, const Node& child) {
    collect(child, path.empty() ? key : path + "." + key, out);
  };
  if (node.kind() == Node::Kind::tensor) {
    out.push_back({path, &node.as_tensor()});
  } else if (node.kind() == Node::Kind::dict) {
    for (const auto& [key, child] : node.as_dict().entries()) down(to_text(key), child);
  } else if (node.kind() == Node::Kind::list || node.kind() == Node::Kind::tuple) {
    const auto& items = node.as_items();
    for (std::size_t i = 0; i < items.size(); ++i) down(std::to_string(i), items[i]);
  }
}

vissl_weights_entry describe(const std::string& name, std::int32_t dtype,
                             const std::vector<std::int64_t>& shape) {
  vissl_weights_entry entry{};
  entry.size = sizeof entry;
  entry.name = str(name);
  entry.dtype = dtype;
  entry.ndim = static_cast<std::uint32_t>(shape.size());
  std::copy_n(shape.begin(), std::min<std::size_t>(shape.size(), 8), entry.shape);
  return entry;
}

struct Plan {
  std::map<std::string, std::uint64_t, std::less<>> loads;  // target -> source
  std::set<std::string, std::less<>> skipped;
  std::set<std::uint64_t> ignored;
  std::string collision;
};

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i)
    text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + "]";
}

std::string first_names(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < 5; ++i) text += (i == 0 ? "" : ", ") + names[i];
  return names.size() > 5 ? text + " and " + std::to_string(names.size() - 5) + " more" : text;
}

// Locators are the executable's matter: it has the plugins and the config that they need.
std::string local_file(const vissl_host& host, const std::string& locator) {
  const auto* api =
      static_cast<const vissl_locator_api*>(host.get_service(&host, str(VISSL_LOCATOR_ID)));
  if (api == nullptr) return locator;
  std::string path;
  const vissl_out out = text_sink(path);
  ErrorSink error;
  error.check(api->local_file(str(locator), &out, error.get()), "");
  return path;
}

}  // namespace

void init_weights(Model& model, const Setting& config, const Services& services, bool strict) {
  Logger& log = *services.log;
  const std::string file = local_file(*services.host, config.string("params_file"));
  const Node tree = read_torch_zip(file);
  std::vector<Source> sources;
  collect(tree, "", sources);
  if (sources.empty()) throw Error(Exit::bad_data, file + " holds no tensors");

  std::vector<vissl_weights_entry> from, to;
  for (const Source& s : sources)
    from.push_back(describe(s.name, static_cast<std::int32_t>(s.tensor->dtype), s.tensor->shape));
  std::map<std::string, Entry*, std::less<>> targets;
  for (const auto& e : model.store().entries()) {
    if (!e->saved()) continue;
    targets.emplace(e->name, e.get());
    to.push_back(describe(e->name, static_cast<std::int32_t>(e->tensor.scalar_type()),
                          e->tensor.sizes().vec()));
  }
  Plan plan;
  vissl_weights_sink sink{sizeof sink, &plan, nullptr, nullptr, nullptr};
  sink.load = [](void* self, std::uint64_t entry, vissl_str target) {
    auto& p = *static_cast<Plan*>(self);
    if (!p.loads.emplace(text(target), entry).second && p.collision.empty())
      p.collision = text(target);
  };
  sink.ignore = [](void* self, std::uint64_t entry, vissl_str) {
    static_cast<Plan*>(self)->ignored.insert(entry);
  };
  sink.skip_target = [](void* self, vissl_str target, vissl_str) {
    static_cast<Plan*>(self)->skipped.insert(text(target));
  };
  const auto profile = services.catalogue->create("weights", config.value());
  ErrorSink error;
  error.check(
      profile->as<vissl_weights_profile_class>().plan(profile->self(), from.data(), from.size(),
                                                      to.data(), to.size(), &sink, error.get()),
      file);
  if (!plan.collision.empty()) {
    throw Error(Exit::usage, file + ": two tensors of the file map to '" + plan.collision +
                                 "'; choose one with state_dict_key_name or prefixes");
  }

  std::vector<std::string> missing;
  std::int64_t matched = 0;
  for (const auto& [name, entry] : targets) {
    const auto it = plan.loads.find(name);
    if (it == plan.loads.end()) {
      if (!plan.skipped.contains(name)) missing.push_back(name);
      continue;
    }
    const Source& s = sources.at(it->second);
    if (s.tensor->shape != entry->tensor.sizes().vec()) {
      throw Error(Exit::usage, file + ": '" + s.name + "' has shape " +
                                   shape_text(s.tensor->shape) + " but '" + name +
                                   "' of the model has " + shape_text(entry->tensor.sizes().vec()) +
                                   "; change the model, or list the layer in skip_layers");
    }
    ++matched;
  }
  if (matched == 0) {
    throw Error(
        Exit::usage,
        file + ": nothing in it matches the model; the file has " +
            first_names({sources.front().name}) + " …, the model " +
            first_names({targets.begin()->first}) +
            " …; set state_dict_key_name, remove_prefix or append_prefix of [model.weights_init]");
  }
  if (strict && !missing.empty()) {
    throw Error(Exit::usage, file + ": " + std::to_string(missing.size()) +
                                 " tensors of the model are not in it: " + first_names(missing));
  }
  const torch::autograd::AutoGradMode no_grad(false);
  for (const auto& [name, source] : plan.loads) {
    const auto it = targets.find(name);
    if (it != targets.end()) it->second->tensor.copy_(from_file(*sources.at(source).tensor));
  }
  log.log(LogLevel::info, "loaded " + std::to_string(matched) + " of " +
                              std::to_string(targets.size()) + " tensors from " + file +
                              (missing.empty() ? "" : "; as initialised: " + first_names(missing)));
}

}  // namespace vissl::host
