#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace vissl::host {

// What TensorBoard stores of a distribution. counts[i] values lie in [limits[i-1], limits[i]).
struct Histogram {
  double min = 0;
  double max = 0;
  double count = 0;
  double sum = 0;
  double sum_squares = 0;
  std::vector<double> limits;
  std::vector<double> counts;
};

// Counts the finite values in TensorBoard's default bins: 0 and +-1e-12 * 1.1^k up to 1e20, the
// last one including its right edge. Empty bins outside the values are left out, but for one on the
// left. Without any finite value `limits` is empty.
Histogram histogram_of(std::span<const float> values);
Histogram histogram_of(std::span<const double> values);

}  // namespace vissl::host
