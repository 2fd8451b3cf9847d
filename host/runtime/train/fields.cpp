#include "host/runtime/train/fields.hpp"

#include <ATen/ops/from_blob.h>

namespace vissl::host {

const Fields::Field* Fields::find(std::string_view name) const {
  for (const Field& f : fields_) {
    if (f.name == name) return &f;
  }
  return nullptr;
}

void Fields::set(std::string_view name, at::Tensor tensor) {
  for (Field& f : fields_) {
    if (f.name == name) {
      f.nested = false;
      f.tensors = {std::move(tensor)};
      return;
    }
  }
  fields_.push_back({std::string(name), false, {std::move(tensor)}});
}

std::map<std::string, at::Tensor, std::less<>> Fields::first_tensors() const {
  std::map<std::string, at::Tensor, std::less<>> out;
  for (const Field& f : fields_) {
    if (!f.tensors.empty()) out.emplace(f.name, f.tensors.front());
  }
  return out;
}

Fields fields_of(const std::shared_ptr<Batch>& batch, at::Device device, at::ScalarType dtype,
                 bool channels_last, bool wait) {
  Fields fields;
  for (const BatchField& from : batch->fields) {
    Fields::Field field{from.name, from.nested, {}};
    for (const BatchElement& element : from.elements) {
      const auto type = static_cast<at::ScalarType>(element.dtype);
      at::Tensor t = at::from_blob(
          element.data, element.shape, [batch](void*) {}, at::TensorOptions().dtype(type));
      t = t.to(device, at::isFloatingType(type) ? dtype : type, /*non_blocking=*/!wait);
      if (channels_last && t.dim() == 4) t = t.contiguous(at::MemoryFormat::ChannelsLast);
      field.tensors.push_back(std::move(t));
    }
    fields.add(std::move(field));
  }
  return fields;
}

}  // namespace vissl::host
