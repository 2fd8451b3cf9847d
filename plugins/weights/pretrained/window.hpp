#pragma once
// Biases of relative positions in windows, as Swin, BEiT and MaxViT have them: (positions, heads),
// where a window of w x w tokens has (2 w - 1)^2 positions and a class token three more at the end,
// or (heads, height, width). Another window is made as timm makes it: the old positions lie on a
// geometric progression that ends where the new ones do, and between them it is linear.
#include <cstdint>
#include <string>
#include <vector>

#include "formula.hpp"

namespace pretrained {

bool is_window_bias(const std::string& name);
// What a model computes from its window: indexes, coordinates and masks. timm leaves them out.
bool is_window_buffer(const std::string& name);

// The table of another window, for the same heads; nothing when it cannot be made.
FormulaPtr other_window(const FormulaPtr& from, const std::vector<std::int64_t>& to);
// Why other_window() gives nothing: "the file's table has 3 heads, the model's 4".
std::string why_no_window(const std::vector<std::int64_t>& from,
                          const std::vector<std::int64_t>& to);

// Of a formula of kind `window`, in float32.
vissl::Tensor resized_window(const Formula& formula, const vissl::Tensor& from);

}  // namespace pretrained
