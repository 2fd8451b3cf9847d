#pragma once
// The fields of a batch as tensors, and the record that components leave for each other during one
// step. [main]
#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/boundary.hpp"

namespace vissl::host {

// Ordered map: name -> list of tensors (one, or one per crop).
class Fields {
 public:
  struct Field {
    std::string name;
    bool nested = false;  // the model sees a list of tensors
    std::vector<at::Tensor> tensors;
  };

  const Field* find(std::string_view name) const;
  void set(std::string_view name, at::Tensor tensor);
  void add(Field field) { fields_.push_back(std::move(field)); }
  const std::vector<Field>& all() const { return fields_; }
  // The first tensor of each field, for [[model.inputs]].
  std::map<std::string, at::Tensor, std::less<>> first_tensors() const;

 private:
  std::vector<Field> fields_;
};

// The batch as tensors on `device`: on a CPU its own memory where the type fits, which keeps the
// batch alive. Floating-point fields become `dtype`. Without `wait` a copy to a GPU may still be
// going on; the caller keeps the batch until the current stream has done it.
Fields fields_of(const std::shared_ptr<Batch>& batch, at::Device device, at::ScalarType dtype,
                 bool channels_last, bool wait = true);

}  // namespace vissl::host
