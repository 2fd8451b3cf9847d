#pragma once
// model.temp_frozen_params: parameters that are not updated during the first iterations.
#include <cstdint>
#include <utility>
#include <vector>

#include "host/runtime/model/model.hpp"

namespace vissl::host {

class TempFrozen {
 public:
  // `list` is [{ name, iterations }]; names may be globs. Throws Error(usage) when one matches
  // nothing.
  TempFrozen(Model& model, const Setting& list);

  // After backward of the step that makes `iteration` + 1 complete: parameters that are still
  // frozen lose their gradient, so that neither momentum nor weight decay touches them.
  void drop_grads(int64_t iteration) const;

 private:
  std::vector<std::pair<Entry*, int64_t>> frozen_;  // and the iterations that it stays so
};

}  // namespace vissl::host
