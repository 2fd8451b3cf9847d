// Batch norm of the table against torch's module: at::batch_norm plus the module's bookkeeping, and
// numbers worked out by hand.
#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include "host/runtime/abi/context.hpp"
#include "host/runtime/abi/test_call.hpp"

using namespace vissl::host;
using namespace vissl::host::test;

namespace {

struct Layer {
  at::Tensor weight = at::tensor({1.5F, 0.5F}).requires_grad_(true);
  at::Tensor bias = at::tensor({0.25F, -1.0F}).requires_grad_(true);
  at::Tensor mean = at::zeros({2});
  at::Tensor var = at::ones({2});
  at::Tensor count = at::zeros({}, at::kLong);

  at::Tensor operator()(const at::Tensor& x, bool training, double momentum = 0.1) {
    vissl_tensor* out = nullptr;
    ErrorSink err;
    err.check(
        tensor_api().batch_norm(borrow(x), borrow(weight), borrow(bias), borrow(mean), borrow(var),
                                borrow(count), training ? 1 : 0, momentum, 1e-5, &out, err.get()),
        "");
    return take(out);
  }
};

at::Tensor batch(int step) {
  return at::arange(16, at::kFloat).reshape({2, 2, 2, 2}).mul(0.5).pow(1.0 + 0.25 * step).sin();
}

}  // namespace

TEST_CASE("batch norm: three training steps and one evaluation equal torch's module") {
  Layer layer;
  at::Tensor mean = at::zeros({2}), var = at::ones({2});
  for (int step = 0; step < 3; ++step) {
    const at::Tensor x = batch(step);
    const at::Tensor out = layer(x, true);
    // The definition, in double.
    const at::Tensor flat = x.to(at::kDouble).permute({1, 0, 2, 3}).reshape({2, 8});
    const at::Tensor m = flat.mean(1), v = flat.var(1, /*unbiased=*/false);
    const at::Tensor normal = (flat - m.unsqueeze(1)) / (v + 1e-5).sqrt().unsqueeze(1);
    const at::Tensor expected =
        normal * layer.weight.detach().unsqueeze(1) + layer.bias.detach().unsqueeze(1);
    CHECK(at::allclose(out.detach().permute({1, 0, 2, 3}).reshape({2, 8}).to(at::kDouble), expected,
                       1e-5, 1e-6));
    mean = 0.9 * mean + 0.1 * m.to(at::kFloat);
    var = 0.9 * var + 0.1 * flat.var(1, /*unbiased=*/true).to(at::kFloat);
    CHECK(at::allclose(layer.mean, mean, 1e-5, 1e-7));
    CHECK(at::allclose(layer.var, var, 1e-5, 1e-7));
    CHECK(layer.count.item<int64_t>() == step + 1);
  }
  const at::Tensor x = batch(5);
  const at::Tensor out = layer(x, false);
  CHECK(same(out, at::batch_norm(x, layer.weight, layer.bias, layer.mean, layer.var, false, 0.1,
                                 1e-5, false)));
  CHECK(layer.count.item<int64_t>() == 3);
}

TEST_CASE("batch norm: a recomputation gives the same values and leaves the statistics alone") {
  Layer layer;
  const at::Tensor x = batch(0);
  const at::Tensor first = layer(x, true);
  const at::Tensor mean = layer.mean.clone(), var = layer.var.clone();
  ForwardMode mode;
  mode.recomputing = true;
  ForwardModeScope scope(mode);
  CHECK(same(layer(x, true), first));
  CHECK(same(layer.mean, mean));
  CHECK(same(layer.var, var));
  CHECK(layer.count.item<int64_t>() == 1);
}

TEST_CASE("batch norm: without running statistics, evaluation normalises by the batch") {
  const at::Tensor x = batch(1);
  vissl_tensor* out = nullptr;
  REQUIRE(tensor_api().batch_norm(borrow(x), nullptr, nullptr, nullptr, nullptr, nullptr, 0, 0.1,
                                  1e-5, &out, nullptr) == VISSL_OK);
  const at::Tensor y = take(out);
  CHECK(at::allclose(y.mean({0, 2, 3}), at::zeros({2}), 0, 1e-6));
}

TEST_CASE("batch norm: one value per channel cannot be normalised") {
  Layer layer;
  CHECK(error_of([&] {
          layer(at::ones({1, 2, 1, 1}), true);
        }) ==
        "batch norm in training mode needs more than one value per channel, but its input has the "
        "shape [1, 2, 1, 1]; use a larger batch");
  CHECK(layer.count.item<int64_t>() == 0);
  CHECK_NOTHROW(layer(at::ones({1, 2, 1, 1}), false));
}
