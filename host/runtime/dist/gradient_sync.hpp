#pragma once
// Data parallelism: equal parameters at the start, gradients averaged over the ranks in each step.
// [main]
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "host/runtime/dist/collectives.hpp"
#include "host/runtime/model/store.hpp"

namespace vissl::host {

// Gives all ranks rank 0's parameters and replicated buffers.
void share_values(Collectives& ranks, const Store& store);
// Gives all ranks rank 0's replicated buffers, batch-norm statistics for one.
void share_buffers(Collectives& ranks, const Store& store);

class GradientSync {
 public:
  enum class Way {
    overlapped,      // libtorch's reducer: buckets go out while the backward pass runs
    after_backward,  // with recompute, whose second runs the reducer does not see
  };
  // `parameters`: those that are trained, in store order, equal on all ranks. Buckets of at most
  // `bucket_bytes` hold them in reverse order and are never built anew: the order of every sum is
  // fixed.
  GradientSync(Collectives& ranks, const std::vector<Entry*>& parameters, Way way,
               std::int64_t bucket_bytes);
  ~GradientSync();
  GradientSync(const GradientSync&) = delete;
  GradientSync& operator=(const GradientSync&) = delete;

  // Before the backward pass of `loss` whose gradients are to be averaged. Without it gradients
  // stay this rank's own, for steps of several passes: the next averaged pass takes them along.
  void prepare(const at::Tensor& loss);
  // After that pass. From here on every gradient is the mean over the ranks, where ranks that did
  // not use a parameter count as zero; a parameter that no rank used has none.
  void finish();

 private:
  class Reducer;
  void reduce_now();

  Collectives& ranks_;
  std::vector<at::Tensor> parameters_;
  std::int64_t bucket_bytes_;
  std::unique_ptr<Reducer> reducer_;  // NULL after_backward
};

}  // namespace vissl::host
