#include "window.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "names.hpp"

using namespace vissl;

namespace pretrained {

namespace {

using Shape = std::vector<std::int64_t>;

constexpr std::int64_t kClassTokenRows = 3;  // to it, from it, to itself
constexpr std::int64_t kWidest = 4095;       // of a grid: what a file claims stays small in memory

// A table as a grid of relative positions.
struct Grid {
  std::int64_t height, width;
  std::int64_t extra;  // rows after the grid
};

// A grid of (2 w - 1)^2 positions is odd: an even number of rows is one with a class token.
std::int64_t extra_rows(std::int64_t rows) {
  return rows % 2 == 0 ? kClassTokenRows : 0;
}

std::optional<Grid> grid_of(const Shape& shape, std::int64_t extra) {
  if (shape.size() == 3) {
    if (shape[1] % 2 == 0 || shape[2] % 2 == 0) return std::nullopt;
    if (shape[1] > kWidest || shape[2] > kWidest) return std::nullopt;
    return Grid{shape[1], shape[2], 0};
  }
  const std::int64_t positions = shape[0] - extra;
  if (positions <= 0) return std::nullopt;
  const std::int64_t side = std::llround(std::sqrt(static_cast<double>(positions)));
  if (side * side != positions || side % 2 == 0 || side > kWidest) return std::nullopt;
  return Grid{side, side, extra};
}

std::int64_t heads_of(const Shape& shape) {
  return shape.size() == 3 ? shape[0] : shape[1];
}

bool is_table(const Shape& shape) {
  return (shape.size() == 2 || shape.size() == 3) &&
         std::all_of(shape.begin(), shape.end(), [](std::int64_t size) { return size > 0; });
}

std::string text(std::int64_t number) {
  return std::to_string(number);
}

std::string window_text(const Grid& grid) {
  return text((grid.height + 1) / 2) + "x" + text((grid.width + 1) / 2);
}

// Where the `from` old positions of one axis lie among the `to` new ones, 0 in the middle: steps
// 1, q, q^2 … to both sides, with the q from 1.01 to 1.5 that ends nearest to the last new one.
std::vector<float> old_positions(std::int64_t from, std::int64_t to) {
  const std::int64_t steps = from / 2;
  double left = 1.01, right = 1.5, q = left;
  while (right - left > 1e-6) {
    q = (left + right) / 2;
    const bool is_too_far =
        (1 - std::pow(q, static_cast<double>(steps))) / (1 - q) > static_cast<double>(to / 2);
    (is_too_far ? right : left) = q;
  }
  std::vector<float> positions(static_cast<std::size_t>(from));
  double distance = 1;
  const auto middle = static_cast<std::size_t>(steps);
  for (std::size_t at = 0; at < middle; ++at) {
    positions[middle + 1 + at] = static_cast<float>(distance);
    positions[middle - 1 - at] = static_cast<float>(-distance);
    distance += std::pow(q, static_cast<double>(at + 1));
  }
  return positions;
}

// The axis `axis` of (heads, height, width) at `to` new positions: each between two old ones, or
// beyond the last one, whose value goes on.
Tensor resampled(const Tensor& grid, std::int64_t axis, std::int64_t to) {
  const std::vector<float> old = old_positions(grid.size(axis), to);
  Shape lefts, rights;
  std::vector<float> of_left, of_right;
  for (std::int64_t i = 0; i < to; ++i) {
    const auto at = static_cast<float>(i - to / 2);
    const auto found = std::lower_bound(old.begin(), old.end() - 1, at);
    const std::int64_t right = found - old.begin(), left = std::max<std::int64_t>(right - 1, 0);
    float to_left = std::max(at - old[static_cast<std::size_t>(left)], 0.0f);
    float to_right = std::max(*found - at, 0.0f);
    if (to_left == 0 && to_right == 0) to_left = to_right = 1;
    lefts.push_back(left);
    rights.push_back(right);
    of_left.push_back(to_right / (to_left + to_right));
    of_right.push_back(to_left / (to_left + to_right));
  }
  const Shape along = axis == 1 ? Shape{1, to, 1} : Shape{1, 1, to};
  return grid.index_select(axis, Tensor::of(lefts, {to})) * Tensor::of(of_left, along) +
         grid.index_select(axis, Tensor::of(rights, {to})) * Tensor::of(of_right, along);
}

}  // namespace

bool is_window_bias(const std::string& name) {
  return ends_with(name, "relative_position_bias_table");
}

bool is_window_buffer(const std::string& name) {
  const std::string last = name.substr(name.rfind('.') + 1);
  return last == "relative_position_index" || last == "relative_coords_table" ||
         last == "attn_mask";
}

FormulaPtr other_window(const FormulaPtr& from, const Shape& to) {
  if (!why_no_window(from->shape, to).empty()) return nullptr;
  const std::int64_t extra = to.size() == 2 ? extra_rows(to[0]) : 0;
  const Grid before = *grid_of(from->shape, extra), after = *grid_of(to, extra);
  return made(Formula::Kind::window, {from}, to,
              "relative positions of windows of " + window_text(before) + " resized to " +
                  window_text(after),
              {extra, before.height, before.width, after.height, after.width});
}

std::string why_no_window(const Shape& from, const Shape& to) {
  if (!is_table(from) || !is_table(to) || from.size() != to.size())
    return "both must be (positions, heads), or both (heads, height, width)";
  if (heads_of(from) != heads_of(to))
    return "the file's table has " + text(heads_of(from)) + " heads, the model's " +
           text(heads_of(to));
  const std::int64_t extra = to.size() == 2 ? extra_rows(to[0]) : 0;
  for (const auto& [shape, whose] : {std::pair(&from, "the file's"), {&to, "the model's"}}) {
    if (grid_of(*shape, extra)) continue;
    if (shape->size() == 3)
      return std::string(whose) + " height or width is even or above " + text(kWidest);
    return "no square window (up to " + text((kWidest + 1) / 2) + ") has " +
           text((*shape)[0] - extra) + " relative positions" +
           (extra > 0 ? " besides the class token's 3" : "") + ", as " + whose + " has";
  }
  return "";
}

Tensor resized_window(const Formula& formula, const Tensor& from) {
  const std::int64_t extra = formula.numbers[0], before_h = formula.numbers[1],
                     before_w = formula.numbers[2], after_h = formula.numbers[3],
                     after_w = formula.numbers[4];
  const bool flat = from.dim() == 2;
  const Tensor values = from.to(Dtype::f32);
  const std::int64_t positions = before_h * before_w;
  const Tensor grid =
      flat ? values.narrow(0, 0, positions).t().reshape({-1, before_h, before_w}) : values;
  const Tensor sized = resampled(resampled(grid, 1, after_h), 2, after_w);
  if (!flat) return sized;
  const Tensor table = sized.reshape({-1, after_h * after_w}).t();
  if (extra == 0) return table;
  return cat({table, values.narrow(0, positions, extra)}, 0);
}

}  // namespace pretrained
