#pragma once
// Who acts around the blocks of a trunk: instances that offer "vissl.blocks/1". [main]; visits in
// the backward pass [engine], while the main thread waits for it.
#include <ATen/core/Tensor.h>
#include <vissl/blocks.h>

#include <string>
#include <vector>

#include "host/boundary.hpp"

namespace vissl::host {

class BlockListeners {
 public:
  // Notes the instance if it offers the extension. `place` names it in errors: "loss (moco_loss)".
  void add(Instance& instance, const std::string& place);
  void clear() { listeners_.clear(); }
  bool empty() const { return listeners_.empty(); }

 private:
  friend class BlockVisit;
  struct Listener {
    const vissl_blocks_class* table;
    void* self;
    std::string place;
  };
  std::vector<Listener> listeners_;
};

// Those of the process' run; the task fills it.
BlockListeners& block_listeners();

// One run of a block: the listeners enter when it is made, and leave when it ends, whatever
// happens.
class BlockVisit {
 public:
  // `recompute`: see vissl_block. Throws what a listener answers, after the others have left.
  BlockVisit(const std::string& name, std::uint32_t recompute,
             const std::vector<at::Tensor>& inputs);
  ~BlockVisit();
  BlockVisit(const BlockVisit&) = delete;
  BlockVisit& operator=(const BlockVisit&) = delete;
  void leave(const std::vector<at::Tensor>& outputs);

 private:
  void leave_all(const std::vector<at::Tensor>& outputs, bool quiet);

  const std::string& name_;
  vissl_block block_{};
  std::size_t entered_ = 0;  // listeners that have not left yet
};

}  // namespace vissl::host
