#include "host/runtime/model/show.hpp"

#include <c10/util/StringUtil.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

namespace vissl::host {

namespace {

struct Counts {
  int64_t parameters = 0, trainable = 0, buffers = 0;
};

Counts count(const Store& store) {
  Counts counts;
  for (const auto& entry : store.entries()) {
    const int64_t numel = entry->tensor.numel();
    (entry->parameter ? counts.parameters : counts.buffers) += numel;
    if (entry->trainable()) counts.trainable += numel;
  }
  return counts;
}

std::string as_json(const Model& model) {
  nlohmann::ordered_json out;
  for (const Instance* instance : model.instances())
    out["components"].push_back({{"kind", instance->kind()}, {"name", instance->name()}});
  out["features"] = model.feature_names();
  out["tensors"] = nlohmann::ordered_json::array();
  for (const auto& entry : model.store().entries())
    out["tensors"].push_back({{"name", entry->name},
                              {"shape", entry->tensor.sizes().vec()},
                              {"dtype", c10::toString(entry->tensor.scalar_type())},
                              {"kind", entry->parameter ? "parameter" : "buffer"},
                              {"trainable", entry->trainable()}});
  const Counts counts = count(model.store());
  out["parameter_count"] = counts.parameters;
  out["trainable_count"] = counts.trainable;
  out["buffer_count"] = counts.buffers;
  return out.dump(2) + "\n";
}

std::string as_table(const Model& model) {
  std::size_t name_width = 0, shape_width = 0;
  for (const auto& entry : model.store().entries()) {
    name_width = std::max(name_width, entry->name.size());
    shape_width = std::max(shape_width, c10::str(entry->tensor.sizes()).size());
  }
  std::ostringstream out;
  for (const Instance* instance : model.instances())
    out << instance->kind() << ' ' << instance->name() << '\n';
  out << "features";
  for (const std::string& name : model.feature_names()) out << ' ' << name;
  out << "\n\n";
  for (const auto& entry : model.store().entries()) {
    const std::string shape = c10::str(entry->tensor.sizes());
    out << entry->name << std::string(name_width - entry->name.size() + 2, ' ') << shape
        << std::string(shape_width - shape.size() + 2, ' ')
        << c10::toString(entry->tensor.scalar_type())
        << (!entry->parameter    ? "  buffer"
            : entry->trainable() ? ""
                                 : "  frozen")
        << '\n';
  }
  const Counts counts = count(model.store());
  out << '\n'
      << counts.parameters << " parameters, " << counts.trainable << " of them trained; "
      << counts.buffers << " values in buffers\n";
  return out.str();
}

}  // namespace

std::string show_model(const Model& model, bool json) {
  return json ? as_json(model) : as_table(model);
}

}  // namespace vissl::host
