#include "formula.hpp"

#include <cmath>

#include "window.hpp"

using namespace vissl;

namespace pretrained {

namespace {

using Kind = Formula::Kind;

std::int64_t side_of(std::int64_t patches) {
  return std::llround(std::sqrt(static_cast<double>(patches)));
}

void add_needed(const Formula& formula, std::vector<const WeightsEntry*>& list) {
  if (formula.kind == Kind::file) list.push_back(formula.entry);
  for (const FormulaPtr& part : formula.of) add_needed(*part, list);
}

Tensor resized_positions(const Formula& formula, const Tensor& from) {
  const std::int64_t extra = formula.numbers[0], width = from.size(2);
  const std::int64_t before = side_of(from.size(1) - extra),
                     after = side_of(formula.shape[1] - extra);
  const Tensor grid = from.narrow(1, extra, before * before)
                          .to(Dtype::f32)
                          .reshape({1, before, before, width})
                          .permute({0, 3, 1, 2});
  Tensor sized;
  if (formula.antialias) {
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

// (O, …) times (O).
Tensor scaled_rows(const Tensor& rows, const Tensor& by) {
  std::vector<std::int64_t> column(static_cast<std::size_t>(rows.dim()), 1);
  column[0] = by.numel();
  return rows.to(Dtype::f32) * by.to(Dtype::f32).reshape(column);
}

Tensor with_length(const Tensor& direction, const Tensor& length, std::int64_t axis) {
  static const Op op("aten::_weight_norm");  // as torch.nn.utils.weight_norm
  return op.tensor({detail::arg(direction), detail::arg(length), detail::arg(axis)});
}

Tensor row_lengths(const Tensor& rows, const std::vector<std::int64_t>& shape) {
  return linalg_vector_norm(rows.reshape({rows.size(0), -1}), 2, 1, true).reshape(shape);
}

Tensor other_channels(const Formula& formula, const Tensor& from) {
  const Tensor weight = from.to(Dtype::f32);
  if (formula.kind == Kind::sum_channels) return weight.sum({1}, true);
  if (formula.kind == Kind::fold_channels)
    return weight.reshape({weight.size(0), weight.size(1) / 3, 3, weight.size(2), weight.size(3)})
        .sum({2}, false);
  const std::int64_t wanted = formula.shape[1];
  return weight.repeat({1, (wanted + 2) / 3, 1, 1}).narrow(1, 0, wanted) *
         (3.0 / static_cast<double>(wanted));
}

class Evaluation {
 public:
  explicit Evaluation(const std::vector<Tensor>& from) : from_(from) {}

  Tensor run(const Formula& formula) {
    if (formula.kind == Kind::file) return from_.at(next_++);
    std::vector<Tensor> of;
    for (const FormulaPtr& part : formula.of) of.push_back(run(*part));
    const Tensor& first = of.at(0);
    switch (formula.kind) {
      case Kind::file:
        break;
      case Kind::join:
        return cat(of, 0);
      case Kind::permute:
        return first.permute(formula.numbers);
      case Kind::reshape:
        return first.reshape(formula.shape);
      case Kind::select:
        return first.select(0, formula.numbers[0]);
      case Kind::scale_rows:
        return scaled_rows(first, of.at(1));
      case Kind::weight_norm:
        return with_length(first, of.at(1), formula.numbers[0]);
      case Kind::lengths:
        return row_lengths(first, formula.shape);
      case Kind::zeros:
        return zeros(formula.shape, Options(first.dtype(), first.device()));
      case Kind::rows:
        return first.index_select(0, Tensor::of(formula.numbers, {count(formula.numbers)}));
      case Kind::positions:
        return resized_positions(formula, first).to(first.dtype());
      case Kind::window:
        return resized_window(formula, first).to(first.dtype());
      case Kind::sum_channels:
      case Kind::fold_channels:
      case Kind::repeat_channels:
        return other_channels(formula, first).to(first.dtype());
    }
    return first;
  }

 private:
  static std::int64_t count(const std::vector<std::int64_t>& list) {
    return static_cast<std::int64_t>(list.size());
  }
  const std::vector<Tensor>& from_;
  std::size_t next_ = 0;
};

}  // namespace

FormulaPtr of_file(const WeightsEntry& entry) {
  auto formula = std::make_shared<Formula>();
  formula->entry = &entry;
  formula->shape = entry.shape;
  return formula;
}

FormulaPtr made(Formula::Kind kind, std::vector<FormulaPtr> of, std::vector<std::int64_t> shape,
                std::string what, std::vector<std::int64_t> numbers) {
  auto formula = std::make_shared<Formula>();
  formula->kind = kind;
  formula->of = std::move(of);
  formula->shape = std::move(shape);
  formula->what = std::move(what);
  formula->numbers = std::move(numbers);
  return formula;
}

FormulaPtr permuted(const FormulaPtr& of, const std::vector<std::int64_t>& axes, std::string what) {
  std::vector<std::int64_t> shape;
  for (const std::int64_t axis : axes) shape.push_back(of->shape[static_cast<std::size_t>(axis)]);
  return made(Kind::permute, {of}, std::move(shape), std::move(what), axes);
}

FormulaPtr reshaped(const FormulaPtr& of, std::vector<std::int64_t> shape, std::string what) {
  return made(Kind::reshape, {of}, std::move(shape), std::move(what));
}

std::vector<const WeightsEntry*> needed(const Formula& formula) {
  std::vector<const WeightsEntry*> list;
  add_needed(formula, list);
  return list;
}

std::string described(const Formula& formula) {
  // Joined tensors are made alike: the first tells for all.
  std::string text = formula.of.empty() ? "" : described(*formula.of.front());
  if (!formula.what.empty()) text += (text.empty() ? "" : ", ") + formula.what;
  return text;
}

vissl_dtype dtype_of(const Formula& formula) {
  return formula.kind == Kind::file ? formula.entry->dtype : dtype_of(*formula.of.front());
}

Tensor evaluate(const Formula& formula, const std::vector<Tensor>& from) {
  return Evaluation(from).run(formula);
}

}  // namespace pretrained
