#pragma once
// What the spikes say when a corner of the ABI is not as they need it: the run fails with the
// sentence. The number of checks that were made goes to summary.json, so that a test sees that they
// were made.
#include <vissl/collectives.hpp>
#include <vissl/run.hpp>

#include <string>

namespace spike {

inline int& checks() {
  static int count = 0;
  return count;
}
inline void expect(bool right, const std::string& what) {
  if (!right) vissl::fail("the spike expected that " + what);
  ++checks();
}
// Largest absolute difference.
inline double distance(const vissl::Tensor& a, const vissl::Tensor& b) {
  if (a.numel() == 0) return 0.0;
  const vissl::NoGrad off;
  return (a.to(vissl::Dtype::f64) - b.to(vissl::Dtype::f64)).abs().max().item<double>();
}
inline void expect_close(const vissl::Tensor& a, const vissl::Tensor& b, double tolerance,
                         const std::string& what) {
  expect(a.sizes() == b.sizes(), what + " (shapes)");
  const double d = distance(a, b);
  if (!(d <= tolerance))
    vissl::fail("the spike expected that " + what + "; off by " + std::to_string(d));
  ++checks();
}
// The same values on every rank.
inline void expect_equal_on_ranks(const vissl::Tensor& t, const std::string& what) {
  const vissl::NoGrad off;
  const vissl::Collectives ranks;
  const vissl::Tensor all = ranks.all_gather(t.reshape({1, -1}).to(vissl::Dtype::f64));
  expect_close(all, all.narrow(0, 0, 1).expand_as(all).contiguous(), 0.0, what);
}
inline void report(const vissl::Run& run) {
  run.summary("spike_checks", checks());
}

}  // namespace spike
