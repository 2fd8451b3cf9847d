#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <atomic>

#include "host/runtime/abi/context.hpp"
#include "host/runtime/abi/test_call.hpp"

using namespace vissl::host;
using namespace vissl::host::test;

namespace {

// y = a^2 * b, z = sin(a), with a backward written by hand. Saves a, b and the output z.
struct Square {
  static inline std::atomic<int> freed{0};
  bool fail_backward = false;

  static vissl_status forward(void*, vissl_tensor* const* in, uint64_t, vissl_tensor** out,
                              uint64_t, vissl_tensor** saved, uint64_t, uint64_t* saved_count,
                              vissl_err*) {
    const at::Tensor a = unwrap(in[0]), b = unwrap(in[1]);
    CHECK_FALSE(at::GradMode::is_enabled());
    out[0] = wrap(a * a * b);
    out[1] = wrap(a.sin());
    saved[0] = wrap(a);
    saved[1] = wrap(b);
    *saved_count = 2;
    return VISSL_OK;
  }
  static vissl_status backward(void* ctx, vissl_tensor* const* saved, uint64_t saved_count,
                               vissl_tensor* const* grads, uint64_t, vissl_tensor** grads_in,
                               uint64_t, vissl_err* err) {
    if (static_cast<Square*>(ctx)->fail_backward) {
      err->set(err, VISSL_E_FAILED, str("the plugin gave up"));
      return VISSL_E_FAILED;
    }
    CHECK(saved_count == 2);
    const at::Tensor a = unwrap(saved[0]), b = unwrap(saved[1]);
    at::Tensor grad_a = at::zeros_like(a);
    if (grads[0] != nullptr) {
      grad_a = grad_a + unwrap(grads[0]) * 2 * a * b;
      grads_in[1] = wrap(unwrap(grads[0]) * a * a);
    }
    if (grads[1] != nullptr) grad_a = grad_a + unwrap(grads[1]) * a.cos();
    grads_in[0] = wrap(grad_a);
    return VISSL_OK;
  }
  static void free_ctx(void* ctx) {
    ++freed;
    delete static_cast<Square*>(ctx);
  }

  static std::vector<at::Tensor> apply(const at::Tensor& a, const at::Tensor& b,
                                       bool fail = false) {
    const vissl_function fn{
        sizeof(vissl_function), str("square"), new Square{fail}, forward, backward, free_ctx};
    vissl_tensor* inputs[] = {borrow(a), borrow(b)};
    vissl_tensor* outputs[2] = {};
    ErrorSink err;
    err.check(autograd_api().apply(&fn, inputs, 2, outputs, 2, err.get()), "");
    return {take(outputs[0]), take(outputs[1])};
  }
};

// Dropout, batch norm and a linear layer: everything that a second run could get wrong.
struct Stage {
  at::Tensor weight = at::linspace(-1, 1, 16).reshape({4, 4}).requires_grad_(true);
  at::Tensor gamma = at::full({4}, 1.5F).requires_grad_(true);
  at::Tensor mean = at::zeros({4}), var = at::ones({4}), count = at::zeros({}, at::kLong);
  int calls = 0;
  bool fail_second = false;

  static vissl_status run(void* ctx, vissl_tensor* const* in, uint64_t, vissl_tensor** out,
                          uint64_t, vissl_err* err) {
    auto& self = *static_cast<Stage*>(ctx);
    if (++self.calls > 1 && self.fail_second) {
      err->set(err, VISSL_E_FAILED, str("no second time"));
      return VISSL_E_FAILED;
    }
    const at::Tensor hidden = at::dropout(at::linear(unwrap(in[0]), self.weight), 0.5, true);
    return tensor_api().batch_norm(borrow(hidden), borrow(self.gamma), nullptr, borrow(self.mean),
                                   borrow(self.var), borrow(self.count), 1, 0.1, 1e-5, out, err);
  }

  at::Tensor operator()(const at::Tensor& x) {
    vissl_tensor* input = borrow(x);
    vissl_tensor* out = nullptr;
    ErrorSink err;
    err.check(autograd_api().block_call(str("layer1.0"), run, this, &input, 1, &out, 1, err.get()),
              "");
    return take(out);
  }
};

struct Result {
  at::Tensor output, weight_grad, gamma_grad, input_grad, mean, var, random;
  int calls;
  int64_t count;
};

Result train(bool recompute, bool input_grad) {
  ForwardMode mode;
  mode.recompute = recompute;
  ForwardModeScope scope(mode);
  default_generator().set_current_seed(11);
  Stage first, second;
  const at::Tensor x = at::arange(24, at::kFloat).sin().reshape({6, 4}).requires_grad_(input_grad);
  at::Tensor y;
  {
    AutocastScope autocast;
    y = second(first(x).relu());
  }
  y.to(at::kFloat).pow(2).mul(at::arange(24, at::kFloat).reshape({6, 4})).sum().backward();
  return {y.detach(),    first.weight.grad(), first.gamma.grad(),
          x.grad(),      first.mean,          first.var,
          at::rand({3}), first.calls,         first.count.item<int64_t>()};
}

void check_recompute_equals_plain(bool input_grad) {
  const Result plain = train(false, input_grad), again = train(true, input_grad);
  CHECK(plain.calls == 1);
  CHECK(again.calls == 2);
  CHECK(again.count == 1);
  CHECK(same(plain.output, again.output));
  CHECK(same(plain.weight_grad, again.weight_grad));
  CHECK(same(plain.gamma_grad, again.gamma_grad));
  CHECK(same(plain.mean, again.mean));
  CHECK(same(plain.var, again.var));
  CHECK(same(plain.random, again.random));
  if (input_grad) CHECK(same(plain.input_grad, again.input_grad));
}

}  // namespace

TEST_CASE("apply: an own backward pass agrees with finite differences") {
  const at::Tensor a = at::tensor({0.5, -1.25, 2.0}, at::kDouble).requires_grad_(true);
  const at::Tensor b = at::tensor({1.0, 3.0, -0.5}, at::kDouble).requires_grad_(true);
  auto loss = [](const at::Tensor& p, const at::Tensor& q) {
    const auto out = Square::apply(p, q);
    return (out[0] * out[1]).sum();
  };
  loss(a, b).backward();
  const double h = 1e-6;
  for (int64_t i = 0; i < 3; ++i) {
    const at::Tensor step = at::zeros({3}, at::kDouble);
    step[i] = h;
    at::NoGradGuard no_grad;
    const double da = ((loss(a + step, b) - loss(a - step, b)) / (2 * h)).item<double>();
    const double db = ((loss(a, b + step) - loss(a, b - step)) / (2 * h)).item<double>();
    CHECK(a.grad()[i].item<double>() == doctest::Approx(da).epsilon(1e-7));
    CHECK(b.grad()[i].item<double>() == doctest::Approx(db).epsilon(1e-7));
  }
}

TEST_CASE("apply: outputs without gradient arrive as NULL, and inputs may have none") {
  const at::Tensor a = at::tensor({0.5, 2.0}, at::kDouble).requires_grad_(true);
  const at::Tensor b = at::ones({2}, at::kDouble).requires_grad_(true);
  Square::apply(a, b)[1].sum().backward();
  CHECK(at::allclose(a.grad(), a.detach().cos()));
  CHECK_FALSE(b.grad().defined());
}

TEST_CASE("apply: the context is freed with the graph, and no handle is left") {
  const int64_t handles = live_handles();
  const int freed = Square::freed;
  const at::Tensor a = at::ones({2}).requires_grad_(true);
  {
    const auto out = Square::apply(a, a);
    CHECK(Square::freed == freed);
    out[0].sum().backward();
    CHECK(live_handles() == handles);
  }
  CHECK(Square::freed == freed + 1);
  {
    at::NoGradGuard no_grad;
    Square::apply(a, a);
  }
  CHECK(Square::freed == freed + 2);
}

TEST_CASE("apply: a failing backward pass ends backward with the plugin's text") {
  const at::Tensor a = at::ones({2}).requires_grad_(true);
  const at::Tensor loss = Square::apply(a, a, true)[0].sum();
  CHECK(error_of([&] { loss.backward(); }) == "backward of square: the plugin gave up");
  const at::Tensor twice = Square::apply(a, a)[0].sum();
  CHECK(error_of([&] { torch::autograd::grad({twice}, {a}, {}, true, /*create_graph=*/true); }) ==
        "square: its gradient cannot be differentiated again");
}

TEST_CASE(
    "block_call: recomputation gives the same values, gradients, statistics and random draws") {
  check_recompute_equals_plain(true);
}

TEST_CASE("block_call: recomputation trains a first block whose input needs no gradient") {
  check_recompute_equals_plain(false);
}

TEST_CASE("block_call: recomputation runs under the autocast of the first run") {
  context().autocast = true;
  check_recompute_equals_plain(true);
  context().autocast = false;
}

TEST_CASE("block_call: without grad mode a block runs once, and errors name the block") {
  ForwardMode mode;
  mode.recompute = true;
  ForwardModeScope scope(mode);
  Stage stage;
  {
    at::NoGradGuard no_grad;
    CHECK_FALSE(stage(at::ones({3, 4})).requires_grad());
  }
  stage.fail_second = true;
  CHECK(error_of([&] { stage(at::ones({3, 4})); }) == "block layer1.0: no second time");
}

TEST_CASE("collectives: with one rank all are identities") {
  const auto& c = collectives_api();
  CHECK(c.rank() == 0);
  CHECK(c.world() == 1);
  const at::Tensor x = at::arange(6, at::kFloat).reshape({3, 2}).requires_grad_(true);
  vissl_tensor* out = nullptr;
  REQUIRE(c.all_gather(borrow(x), 1, &out, nullptr) == VISSL_OK);
  CHECK(take(out).requires_grad());
  REQUIRE(c.all_gather(borrow(x), 0, &out, nullptr) == VISSL_OK);
  const at::Tensor plain = take(out);
  CHECK_FALSE(plain.requires_grad());
  CHECK(same(plain, x.detach()));
  const at::Tensor scalar = at::scalar_tensor(4.0);
  REQUIRE(c.all_gather(borrow(scalar), 0, &out, nullptr) == VISSL_OK);
  CHECK(take(out).dim() == 1);
  REQUIRE(c.all_reduce(borrow(scalar), VISSL_REDUCE_MEAN, nullptr) == VISSL_OK);
  CHECK(scalar.item<float>() == 4.0F);
  const int64_t all = 3, few = 2;
  REQUIRE(c.all_to_all(borrow(plain), &all, &all, &out, nullptr) == VISSL_OK);
  CHECK(same(take(out), plain));
  ErrorSink err;
  CHECK(c.all_to_all(borrow(plain), &few, &all, &out, err.get()) == VISSL_E_DISTRIBUTED);
  CHECK(err.text() == "all_to_all over one rank must send and receive all 3 rows");
  CHECK(c.broadcast(borrow(plain), 1, err.get()) == VISSL_E_DISTRIBUTED);
  CHECK(err.text() == "rank 1 cannot broadcast: there are 1 rank(s)");
  CHECK(c.barrier(nullptr) == VISSL_OK);
}
