// The sharded optimizer: whole parameters are dealt out to the ranks, as fairscale's OSS and
// torch's ZeroRedundancyOptimizer do, so that every norm and every update is computed as without
// shards.
#include <ATen/ops/empty.h>

#include <algorithm>
#include <sstream>

#include "host/runtime/dist/broadcast.hpp"
#include "host/runtime/train/optimizer.hpp"

namespace vissl::host {

void Optimizer::shard(Collectives& ranks) {
  if (ranks.world() == 1) return;
  ranks_ = &ranks;
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(ranks.world()), 0);
  for (const Entry* e : parameters_) {
    const auto least = std::ranges::min_element(numbers);
    *least += e->trainable() ? e->tensor.numel() : 0;
    owners_.push_back(least - numbers.begin());
  }
}

bool Optimizer::owns(std::size_t param) const {
  return ranks_ == nullptr || owners_[param] == ranks_->rank();
}

void Optimizer::share_updates() {
  if (ranks_ == nullptr) return;
  for (std::int64_t root = 0; root < ranks_->world(); ++root) {
    std::vector<at::Tensor> values;
    for (const Group& group : groups_)
      for (const std::size_t p : group.params)
        if (owners_[p] == root) values.push_back(parameters_[p]->tensor);
    broadcast_values(*ranks_, values, root);
  }
}

// The state of all parameters, wherever it lives.
std::vector<std::map<std::string, at::Tensor>> Optimizer::whole_state() const {
  if (ranks_ == nullptr) return state_;
  std::vector<std::map<std::string, at::Tensor>> whole = state_;
  for (std::int64_t root = 0; root < ranks_->world(); ++root) {
    // One line per tensor: parameter, name, type, dimensions.
    std::ostringstream lines;
    std::vector<at::Tensor> values;
    for (std::size_t p = 0; p < whole.size() && root == ranks_->rank(); ++p) {
      for (const auto& [name, tensor] : whole[p]) {
        lines << p << ' ' << name << ' ' << static_cast<int>(tensor.scalar_type()) << ' '
              << tensor.dim();
        for (const std::int64_t size : tensor.sizes()) lines << ' ' << size;
        lines << '\n';
        values.push_back(tensor);
      }
    }
    std::istringstream list(broadcast_text(*ranks_, lines.str(), root));
    std::size_t p = 0;
    std::string name;
    int type = 0;
    std::size_t dims = 0;
    while (root != ranks_->rank() && list >> p >> name >> type >> dims) {
      std::vector<std::int64_t> sizes(dims);
      for (std::int64_t& size : sizes) list >> size;
      const auto dtype = static_cast<at::ScalarType>(type);
      const at::Device device = dims == 0 ? at::Device(at::kCPU) : parameters_[p]->tensor.device();
      values.push_back(at::empty(sizes, at::TensorOptions().dtype(dtype).device(device)));
      whole[p][name] = values.back();
    }
    broadcast_values(*ranks_, values, root);
  }
  return whole;
}

}  // namespace vissl::host
