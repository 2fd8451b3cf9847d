#include "host/files/histogram.hpp"

#include <algorithm>
#include <cmath>

namespace vissl::host {
namespace {

std::vector<double> make_edges() {
  std::vector<double> positive;
  for (double edge = 1e-12; edge < 1e20; edge *= 1.1) positive.push_back(edge);
  std::vector<double> edges;
  edges.reserve(2 * positive.size() + 1);
  for (auto edge = positive.rbegin(); edge != positive.rend(); ++edge) edges.push_back(-*edge);
  edges.push_back(0);
  edges.insert(edges.end(), positive.begin(), positive.end());
  return edges;
}

template <class Value>
Histogram count(std::span<const Value> values) {
  static const std::vector<double> kEdges = make_edges();
  Histogram histogram;
  std::vector<double> counts(kEdges.size() - 1, 0);
  bool is_first = true;
  for (const Value v : values) {
    if (!std::isfinite(v)) continue;
    const double value = static_cast<double>(v);
    histogram.min = is_first ? value : std::min(histogram.min, value);
    histogram.max = is_first ? value : std::max(histogram.max, value);
    is_first = false;
    histogram.count += 1;
    histogram.sum += value;
    histogram.sum_squares += value * value;
    if (value < kEdges.front() || value > kEdges.back()) continue;
    const auto above = std::upper_bound(kEdges.begin(), kEdges.end(), value);
    const auto bin = static_cast<std::size_t>(above - kEdges.begin()) - 1;
    counts[std::min(bin, counts.size() - 1)] += 1;
  }
  const auto is_used = [](double n) { return n > 0; };
  const auto first = std::ranges::find_if(counts, is_used);
  if (first == counts.end()) return histogram;
  const auto start = static_cast<std::size_t>(first - counts.begin());
  std::size_t end = counts.size();
  while (!is_used(counts[end - 1])) --end;
  // A bin is stored by its right edge alone, so an empty bin carries the left edge of the first.
  histogram.limits.push_back(kEdges[start]);
  histogram.counts.push_back(0);
  for (std::size_t i = start; i < end; ++i) {
    histogram.limits.push_back(kEdges[i + 1]);
    histogram.counts.push_back(counts[i]);
  }
  return histogram;
}

}  // namespace

Histogram histogram_of(std::span<const float> values) {
  return count(values);
}
Histogram histogram_of(std::span<const double> values) {
  return count(values);
}

}  // namespace vissl::host
