#pragma once
// The meters of a run. [main]
#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "host/boundary.hpp"
#include "host/files/node.hpp"
#include "host/runtime/setting.hpp"

namespace vissl::host {

class Meters {
 public:
  Meters(const Setting& meters, Catalogue& catalogue);

  bool empty() const { return meters_.empty(); }
  void reset();
  void update(const std::vector<at::Tensor>& outputs, const at::Tensor& target);
  void reduce();  // sums the counters over the ranks, once at the end of a phase

  struct Value {
    std::string name;  // "accuracy_list_meter"
    std::string json;  // {"top_1": {"0": 75.6}}
  };
  std::vector<Value> values() const;

  // Counters of a phase in progress, for a checkpoint inside it.
  Node state() const;
  void load(const Node& state, const std::string& source);

 private:
  std::vector<std::unique_ptr<Instance>> meters_;
};

}  // namespace vissl::host
