#include "adapt.hpp"

#include <cmath>

using namespace vissl;

namespace pretrained {

namespace {

constexpr std::int64_t kMostExtraTokens = 16;  // class, distillation and register tokens

std::int64_t root_of(std::int64_t square) {
  const auto root = static_cast<std::int64_t>(std::llround(std::sqrt(static_cast<double>(square))));
  return root > 0 && root * root == square ? root : 0;
}

std::string text(std::int64_t number) {
  return std::to_string(number);
}

Tensor resized_positions(const Recipe& recipe, const Tensor& from, std::int64_t count) {
  const std::int64_t extra = recipe.first, width = from.size(2);
  const std::int64_t before = root_of(from.size(1) - extra), after = root_of(count - extra);
  const Tensor grid = from.narrow(1, extra, before * before)
                          .to(Dtype::f32)
                          .reshape({1, before, before, width})
                          .permute({0, 3, 1, 2});
  Tensor sized;
  if (recipe.antialias) {
    static const Op op("aten::_upsample_bicubic2d_aa", "vec");
    const std::vector<std::int64_t> size = {after, after};
    sized = op.tensor({detail::arg(grid), detail::arg(Ints(size)), detail::arg(false),
                       detail::arg(Doubles(std::nullopt))});
  } else {
    sized = upsample_bicubic2d(grid, {after, after}, false, std::nullopt);
  }
  const Tensor flat = sized.permute({0, 2, 3, 1}).reshape({1, after * after, width});
  if (extra == 0) return flat;
  return cat({from.narrow(1, 0, extra).to(Dtype::f32), flat}, 1);
}

}  // namespace

std::optional<Recipe> other_channels(const WeightsEntry& from, const WeightsEntry& to) {
  if (from.shape.size() != 4 || to.shape.size() != 4) return std::nullopt;
  const std::int64_t had = from.shape[1], wanted = to.shape[1];
  if (from.shape[0] != to.shape[0] || from.shape[2] != to.shape[2] || from.shape[3] != to.shape[3])
    return std::nullopt;
  if (had <= 3 && wanted == 1)
    return Recipe{Recipe::Kind::sum_channels, 0, false, "sum of " + text(had) + " input channels"};
  if (had > 3 && had % 3 == 0 && wanted == had / 3)
    return Recipe{Recipe::Kind::fold_channels, 0, false,
                  "sums of three of " + text(had) + " input channels"};
  if (had == 3)
    return Recipe{Recipe::Kind::repeat_channels, 0, false,
                  "3 input channels repeated to " + text(wanted)};
  return std::nullopt;
}

std::optional<Recipe> other_grid(const WeightsEntry& from, const WeightsEntry& to, bool antialias) {
  if (from.shape.size() != 3 || to.shape.size() != 3 || from.shape[0] != 1 || to.shape[0] != 1 ||
      from.shape[2] != to.shape[2])
    return std::nullopt;
  // The usual class token first, then none, then more.
  for (std::int64_t i = 0; i <= kMostExtraTokens; ++i) {
    const std::int64_t extra = i == 0 ? 1 : i == 1 ? 0 : i;
    const std::int64_t before = root_of(from.shape[1] - extra),
                       after = root_of(to.shape[1] - extra);
    if (before == 0 || after == 0) continue;
    return Recipe{Recipe::Kind::positions, extra, antialias,
                  "position embeddings " + text(before) + "x" + text(before) + " resized to " +
                      text(after) + "x" + text(after)};
  }
  return std::nullopt;
}

std::optional<Recipe> fewer_rows(const WeightsEntry& from, const WeightsEntry& to,
                                 std::int64_t offset) {
  if (offset <= 0 || from.shape.empty() || from.shape.size() != to.shape.size() ||
      from.shape[0] != to.shape[0] + offset)
    return std::nullopt;
  for (std::size_t i = 1; i < to.shape.size(); ++i)
    if (from.shape[i] != to.shape[i]) return std::nullopt;
  return Recipe{
      Recipe::Kind::drop_rows, offset, false,
      "rows " + text(offset) + " to " + text(from.shape[0] - 1) + " of " + text(from.shape[0])};
}

Tensor apply(const Recipe& recipe, const Tensor& from, const std::vector<std::int64_t>& shape) {
  if (recipe.kind == Recipe::Kind::drop_rows)
    return from.narrow(0, recipe.first, from.size(0) - recipe.first);
  if (recipe.kind == Recipe::Kind::positions)
    return resized_positions(recipe, from, shape[1]).to(from.dtype());
  const Tensor weight = from.to(Dtype::f32);
  const std::int64_t channels = weight.size(1);
  Tensor made;
  if (recipe.kind == Recipe::Kind::sum_channels) {
    made = weight.sum({1}, true);
  } else if (recipe.kind == Recipe::Kind::fold_channels) {
    made = weight.reshape({weight.size(0), channels / 3, 3, weight.size(2), weight.size(3)})
               .sum({2}, false);
  } else {
    const std::int64_t wanted = shape[1];
    made = weight.repeat({1, (wanted + 2) / 3, 1, 1}).narrow(1, 0, wanted) *
           (3.0 / static_cast<double>(wanted));
  }
  return made.to(from.dtype());
}

}  // namespace pretrained
