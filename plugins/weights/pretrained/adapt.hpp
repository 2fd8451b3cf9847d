#pragma once
// Tensors of another shape than the model's, made to fit: fewer or more input channels, another
// image size, other classes. Each gives nothing when it cannot be done.
#include <vissl/weights.hpp>

#include <cstdint>
#include <vector>

#include "formula.hpp"

namespace pretrained {

// Another number of input channels, as timm's adapt_input_conv: arithmetic in float32, the result
// in the file's element type.
FormulaPtr other_channels(const FormulaPtr& from, const std::vector<std::int64_t>& to);
// Another grid of position embeddings, which must be square in both. `antialias` as timm does it;
// VISSL, DINO and MAE resize without.
FormulaPtr other_grid(const FormulaPtr& from, const std::vector<std::int64_t>& to, bool antialias);
// Rows from `offset` on, when exactly the others are too many.
FormulaPtr fewer_rows(const FormulaPtr& from, const std::vector<std::int64_t>& to,
                      std::int64_t offset);
// These rows, when they are as many as the model's and all are there.
FormulaPtr chosen_rows(const FormulaPtr& from, const std::vector<std::int64_t>& to,
                       const std::vector<std::int64_t>& rows);
// A linear layer over flattened patches (O, I h w) as a convolution (O, I, h, w).
FormulaPtr linear_patches(const FormulaPtr& from, const std::vector<std::int64_t>& to);

}  // namespace pretrained
