#pragma once
// Writes a tree as a pickle of numpy arrays: what Detectron2 and other Caffe2 heirs read with
// pickle.load, without torch.
#include "host/files/node.hpp"
#include "host/files/sink.hpp"

namespace vissl::host {

// Pickle protocol 4, tensors as contiguous little-endian arrays; numpy 1 and 2 read it. Arrays go
// to the sink one by one. Throws Error(Exit::run_failed) for what numpy does not know: bfloat16,
// the float8 types, complex32, quantised tensors; for opaque nodes and for text that is no UTF-8;
// and whatever the sink throws.
void write_numpy_pickle(Sink& sink, const Node& tree);

}  // namespace vissl::host
