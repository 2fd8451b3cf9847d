#pragma once
// Tensors of a file that a model keeps in another form: apart, transposed, as a direction and a
// length. A filter puts what it makes beside or in place of them, so that everything after it sees
// names and shapes alone.
#include <string>
#include <vector>

#include "names.hpp"

namespace pretrained {

// In the order in which they are applied:
//   jax          official vision transformers of Google: kernels of "Transformer/encoderblock_0/…"
//   clip         CLIP's towers for images: embeddings without a batch axis, no bias for patches
//   qkv          queries, keys and values of Hugging Face's transformers as one layer
//   layer_scale  DINOv2's and DeiT III's gammas, put into the layer before them when the model has
//   none weight_norm  weight_g and weight_v, or parametrizations.weight.original0 and 1, and weight
const std::vector<std::string>& filter_names();

// `names` after those of `wanted` whose tensors are there.
Names filtered(Names names, const std::vector<std::string>& wanted, const Targets& targets);

}  // namespace pretrained
