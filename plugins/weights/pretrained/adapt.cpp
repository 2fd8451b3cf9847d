#include "adapt.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace vissl;

namespace pretrained {

namespace {

using Kind = Formula::Kind;
using Shape = std::vector<std::int64_t>;

constexpr std::int64_t kMostExtraTokens = 16;  // class, distillation and register tokens

std::int64_t root_of(std::int64_t square) {
  const auto root = static_cast<std::int64_t>(std::llround(std::sqrt(static_cast<double>(square))));
  return root > 0 && root * root == square ? root : 0;
}

std::string text(std::int64_t number) {
  return std::to_string(number);
}

// Shapes that differ at most in the first axis.
bool same_rows(const Shape& a, const Shape& b) {
  return !a.empty() && a.size() == b.size() && std::equal(a.begin() + 1, a.end(), b.begin() + 1);
}

}  // namespace

FormulaPtr other_channels(const FormulaPtr& from, const Shape& to) {
  const Shape& had_shape = from->shape;
  if (had_shape.size() != 4 || to.size() != 4) return nullptr;
  const std::int64_t had = had_shape[1], wanted = to[1];
  if (had_shape[0] != to[0] || had_shape[2] != to[2] || had_shape[3] != to[3]) return nullptr;
  if (had <= 3 && wanted == 1)
    return made(Kind::sum_channels, {from}, to, "sum of " + text(had) + " input channels");
  if (had > 3 && had % 3 == 0 && wanted == had / 3)
    return made(Kind::fold_channels, {from}, to,
                "sums of three of " + text(had) + " input channels");
  if (had == 3)
    return made(Kind::repeat_channels, {from}, to, "3 input channels repeated to " + text(wanted));
  return nullptr;
}

FormulaPtr other_grid(const FormulaPtr& from, const Shape& to, bool antialias) {
  const Shape& had = from->shape;
  if (had.size() != 3 || to.size() != 3 || had[0] != 1 || to[0] != 1 || had[2] != to[2])
    return nullptr;
  // The usual class token first, then none, then more.
  for (std::int64_t i = 0; i <= kMostExtraTokens; ++i) {
    const std::int64_t extra = i == 0 ? 1 : i == 1 ? 0 : i;
    const std::int64_t before = root_of(had[1] - extra), after = root_of(to[1] - extra);
    if (before == 0 || after == 0) continue;
    Formula formula = *made(Kind::positions, {from}, to,
                            "position embeddings " + text(before) + "x" + text(before) +
                                " resized to " + text(after) + "x" + text(after),
                            {extra});
    formula.antialias = antialias;
    return std::make_shared<const Formula>(std::move(formula));
  }
  return nullptr;
}

FormulaPtr fewer_rows(const FormulaPtr& from, const Shape& to, std::int64_t offset) {
  if (offset <= 0 || !same_rows(from->shape, to) || from->shape[0] != to[0] + offset)
    return nullptr;
  Shape rows(static_cast<std::size_t>(to[0]));
  std::iota(rows.begin(), rows.end(), offset);
  const std::int64_t had = from->shape[0];
  return made(Kind::rows, {from}, to,
              "rows " + text(offset) + " to " + text(had - 1) + " of " + text(had),
              std::move(rows));
}

FormulaPtr chosen_rows(const FormulaPtr& from, const Shape& to, const Shape& rows) {
  if (!same_rows(from->shape, to) || to[0] != static_cast<std::int64_t>(rows.size()))
    return nullptr;
  const std::int64_t had = from->shape[0];
  if (std::any_of(rows.begin(), rows.end(), [&](std::int64_t row) { return row >= had; }))
    return nullptr;
  return made(Kind::rows, {from}, to,
              text(to[0]) + " rows of " + text(had) + " as label_rows lists them", rows);
}

FormulaPtr linear_patches(const FormulaPtr& from, const Shape& to) {
  const Shape& had = from->shape;
  if (had.size() != 2 || to.size() != 4 || had[0] != to[0] || had[1] != to[1] * to[2] * to[3])
    return nullptr;
  return reshaped(from, to, "linear patch embedding as a convolution");
}

}  // namespace pretrained
