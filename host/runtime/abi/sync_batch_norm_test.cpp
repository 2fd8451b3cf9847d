#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include "host/runtime/abi/batch_norm.hpp"
#include "host/runtime/abi/context.hpp"
#include "host/runtime/dist/test_ranks.hpp"

using namespace vissl::host;

namespace {

// Input, output gradient and parameters of all ranks together, by closed formulas.
struct Case {
  at::Tensor x, weight, bias, dy;
  explicit Case(at::IntArrayRef shape) {
    int64_t count = 1;
    for (const int64_t size : shape) count *= size;
    const at::Tensor n = at::arange(count, at::kDouble);
    x = ((n * 0.7).sin() * 2.0 + (n * 0.031).cos() + 3.0).reshape(shape);
    dy = (n * 1.3 + 0.2).cos().reshape(shape);
    weight = at::arange(1, shape[1] + 1, at::kDouble) * 0.4;
    bias = at::arange(shape[1], at::kDouble) * 0.1;
  }
};

struct Passed {
  at::Tensor y, dx, dweight, dbias;
  BatchNormState state;
};

BatchNormState state_of(const Case& c) {
  BatchNormState state;
  state.weight = c.weight.clone().requires_grad_(true);
  state.bias = c.bias.clone().requires_grad_(true);
  state.running_mean = at::full({c.x.size(1)}, 0.3, at::kDouble);
  state.running_var = at::full({c.x.size(1)}, 1.2, at::kDouble);
  state.num_batches_tracked = at::zeros({}, at::kLong);
  return state;
}

template <class Norm>
Passed run(const Case& c, int64_t first, int64_t rows, Norm&& norm) {
  Passed out;
  out.state = state_of(c);
  at::Tensor x = c.x.narrow(0, first, rows).clone().requires_grad_(true);
  out.y = norm(x, out.state);
  out.y.backward(c.dy.narrow(0, first, rows).contiguous());
  out.dx = x.grad();
  out.dweight = out.state.weight.grad();
  out.dbias = out.state.bias.grad();
  return out;
}

bool near(const at::Tensor& a, const at::Tensor& b) {
  return a.sizes() == b.sizes() && a.allclose(b, 1e-12, 1e-12);
}

}  // namespace

TEST_CASE("sync batch norm: ranks with unequal batches give what one rank with all of them gives") {
  for (const auto& shape : {std::vector<int64_t>{7, 3, 4, 2}, std::vector<int64_t>{7, 5}}) {
    const Case c(shape);
    const Passed one = run(c, 0, 7, [](const at::Tensor& x, BatchNormState& state) {
      return batch_norm(x, state, true, 0.1, 1e-5);
    });
    const std::vector<int64_t> firsts{0, 3, 4}, rows{3, 1, 3};
    std::vector<Passed> parts(3);
    on_ranks(3, [&](Collectives& ranks) {
      const auto r = static_cast<std::size_t>(ranks.rank());
      parts[r] = run(c, firsts[r], rows[r], [&](const at::Tensor& x, BatchNormState& state) {
        return sync_batch_norm(ranks, x, state, 0.1, 1e-5);
      });
    });
    at::Tensor dweight = at::zeros_like(one.dweight), dbias = at::zeros_like(one.dbias);
    for (std::size_t r = 0; r < 3; ++r) {
      CHECK(near(parts[r].y, one.y.narrow(0, firsts[r], rows[r])));
      CHECK(near(parts[r].dx, one.dx.narrow(0, firsts[r], rows[r])));
      CHECK(near(parts[r].state.running_mean, one.state.running_mean));
      CHECK(near(parts[r].state.running_var, one.state.running_var));
      CHECK(parts[r].state.num_batches_tracked.item<int64_t>() == 1);
      dweight += parts[r].dweight;
      dbias += parts[r].dbias;
    }
    CHECK(near(dweight, one.dweight));
    CHECK(near(dbias, one.dbias));
  }
}

TEST_CASE("sync batch norm: a second run in the backward pass leaves the statistics alone") {
  const Case c({4, 3, 2, 2});
  on_ranks(2, [&](Collectives& ranks) {
    BatchNormState state = state_of(c);
    const at::Tensor x = c.x.narrow(0, 2 * ranks.rank(), 2);
    const at::Tensor first = sync_batch_norm(ranks, x, state, 0.1, 1e-5);
    const at::Tensor mean = state.running_mean.clone();
    const ForwardModeScope second({.recomputing = true, .sync_group = 2});
    require(sync_batch_norm(ranks, x, state, 0.1, 1e-5).equal(first), "values");
    require(state.running_mean.equal(mean), "mean");
    require(state.num_batches_tracked.item<int64_t>() == 1, "batches");
  });
}

TEST_CASE("sync batch norm: bfloat16 input keeps its type, and channels_last its layout") {
  const Case c({4, 3, 5, 5});
  const Passed one = run(c, 0, 4, [](const at::Tensor& x, BatchNormState& state) {
    return batch_norm(x, state, true, 0.1, 1e-5);
  });
  on_ranks(2, [&](Collectives& ranks) {
    BatchNormState state = state_of(c);
    state.weight = c.weight.to(at::kFloat).requires_grad_(true);
    state.bias = c.bias.to(at::kFloat).requires_grad_(true);
    state.running_mean = at::Tensor();
    state.running_var = at::Tensor();
    const at::Tensor rows = c.x.narrow(0, 2 * ranks.rank(), 2);
    at::Tensor x = rows.to(at::kBFloat16).contiguous(at::MemoryFormat::ChannelsLast);
    x.requires_grad_(true);
    const at::Tensor y = sync_batch_norm(ranks, x, state, 0.1, 1e-5);
    require(y.scalar_type() == at::kBFloat16, "type of the output");
    require(y.is_contiguous(at::MemoryFormat::ChannelsLast), "layout of the output");
    y.backward(c.dy.narrow(0, 2 * ranks.rank(), 2).to(at::kBFloat16));
    require(x.grad().scalar_type() == at::kBFloat16, "type of the gradient");
    const auto close = [&](const at::Tensor& a, const at::Tensor& b) {
      return (a.to(at::kDouble) - b.narrow(0, 2 * ranks.rank(), 2)).abs().max().item<double>() <
             0.05;
    };
    require(close(y, one.y), "values");
    require(close(x.grad(), one.dx), "gradient");
  });
}
