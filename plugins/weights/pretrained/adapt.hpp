#pragma once
// Tensors of another shape than the model's, made to fit: fewer or more input channels, another
// image size, a classifier with a background class.
#include <vissl/weights.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pretrained {

struct Recipe {
  enum class Kind {
    sum_channels,     // (O, I, h, w) -> (O, 1, h, w)
    fold_channels,    // (O, 3 I, h, w) -> (O, I, h, w): sums of three, for space-to-depth stems
    repeat_channels,  // (O, 3, h, w) -> (O, n, h, w), times 3 / n
    drop_rows,        // the rows from `first` on
    positions,        // (1, k + a a, D) -> (1, k + b b, D), bicubic; the first k are kept
  };
  Kind kind;
  std::int64_t first = 0;  // of drop_rows; k of positions
  bool antialias = false;  // of positions
  std::string what;        // for the report
};

// Another number of input channels, as timm's adapt_input_conv: arithmetic in float32, the result
// in the file's element type. Nothing when it cannot be done.
std::optional<Recipe> other_channels(const vissl::WeightsEntry& from,
                                     const vissl::WeightsEntry& to);
// Another grid of position embeddings, which must be square in both. `antialias` as timm does it;
// VISSL, DINO and MAE resize without.
std::optional<Recipe> other_grid(const vissl::WeightsEntry& from, const vissl::WeightsEntry& to,
                                 bool antialias);
// Rows from `offset` on, when exactly the others are too many.
std::optional<Recipe> fewer_rows(const vissl::WeightsEntry& from, const vissl::WeightsEntry& to,
                                 std::int64_t offset);

// The tensor that a recipe makes of one tensor of the file; `shape` is the model's.
vissl::Tensor apply(const Recipe& recipe, const vissl::Tensor& from,
                    const std::vector<std::int64_t>& shape);

}  // namespace pretrained
