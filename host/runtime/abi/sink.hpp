#pragma once
// A vissl_tensor_sink that collects what a callee pushes.
#include <vissl/model.h>

#include "host/runtime/abi/handle.hpp"

namespace vissl::host {

class TensorSink {
 public:
  TensorSink() : sink_{sizeof(vissl_tensor_sink), this, &TensorSink::push} {}
  TensorSink(const TensorSink&) = delete;  // the sink points at this object
  TensorSink& operator=(const TensorSink&) = delete;

  const vissl_tensor_sink* get() const { return &sink_; }
  std::vector<at::Tensor> tensors;  // in the order of the pushes

 private:
  static void push(void* self, vissl_tensor* owned) {
    static_cast<TensorSink*>(self)->tensors.push_back(take(owned));
  }
  vissl_tensor_sink sink_;
};

}  // namespace vissl::host
