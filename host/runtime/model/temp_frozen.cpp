#include "host/runtime/model/temp_frozen.hpp"

namespace vissl::host {

TempFrozen::TempFrozen(Model& model, const Setting& list) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Setting entry = list.at(i);
    for (Entry* parameter :
         model.match_parameters(entry.string("name"), entry.where() + ": model.temp_frozen_params"))
      frozen_.emplace_back(parameter, entry.integer("iterations"));
  }
}

void TempFrozen::drop_grads(int64_t iteration) const {
  for (const auto& [parameter, iterations] : frozen_)
    if (iteration < iterations) parameter->tensor.mutable_grad() = at::Tensor();
}

}  // namespace vissl::host
