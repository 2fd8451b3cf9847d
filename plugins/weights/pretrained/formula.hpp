#pragma once
// How a tensor of the model is made of tensors of the file: names and shapes while the plan is
// made, tensors when it is carried out.
#include <vissl/weights.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace pretrained {

struct Formula;
using FormulaPtr = std::shared_ptr<const Formula>;

struct Formula {
  enum class Kind {
    file,           // a tensor of the file as it is
    join,           // of all, along the first axis
    permute,        // axes in the order of `numbers`
    reshape,        // to result.shape
    select,         // numbers[0] of the first axis: (L, …) -> (…)
    scale_rows,     // (O, …) times the second's (O), in float32
    weight_norm,    // a direction by its length, the second; numbers[0] is the length's axis, -1 =
                    // all
    lengths,        // (O, …) -> (O, 1, …): each row's Euclidean length
    zeros,          // of the first's element type
    sum_channels,   // (O, I, h, w) -> (O, 1, h, w)
    fold_channels,  // (O, 3 I, h, w) -> (O, I, h, w): sums of three, for space-to-depth stems
    repeat_channels,  // (O, 3, h, w) -> (O, n, h, w), times 3 / n
    rows,             // those that `numbers` list, in their order
    positions,  // (1, k + a a, D) -> (1, k + b b, D), bicubic; the first k = numbers[0] are kept
    window,  // a table of relative positions; numbers: rows after the grid, the file's height and
             // width, the model's
  };
  Kind kind = Kind::file;
  std::vector<FormulaPtr> of;
  std::vector<std::int64_t> numbers;
  bool antialias = false;                      // of positions
  const vissl::WeightsEntry* entry = nullptr;  // of file; borrowed from the plan
  std::vector<std::int64_t> shape;             // of the result
  std::string what;                            // for the report; "" = not worth telling
};

FormulaPtr of_file(const vissl::WeightsEntry& entry);
FormulaPtr made(Formula::Kind kind, std::vector<FormulaPtr> of, std::vector<std::int64_t> shape,
                std::string what, std::vector<std::int64_t> numbers = {});
// The axes of `of` in another order.
FormulaPtr permuted(const FormulaPtr& of, const std::vector<std::int64_t>& axes, std::string what);
FormulaPtr reshaped(const FormulaPtr& of, std::vector<std::int64_t> shape, std::string what);

// The tensors of the file that it needs, in the order in which evaluate() takes them.
std::vector<const vissl::WeightsEntry*> needed(const Formula& formula);
// What is done, the innermost first: "query, key and value joined".
std::string described(const Formula& formula);
// The element type that the result keeps; arithmetic happens in float32.
vissl_dtype dtype_of(const Formula& formula);

vissl::Tensor evaluate(const Formula& formula, const std::vector<vissl::Tensor>& from);

}  // namespace pretrained
