// The fake host's tensors against values of torch, and the bookkeeping of handles.
#define VISSL_TEST_IMPLEMENTATION
#include <doctest/doctest.h>

#include <vissl/test.hpp>

using namespace vissl;
using test::tensor;

namespace {

TEST_CASE("fake tensors: arithmetic broadcasts and promotes as torch does") {
  test::Host host;
  const Tensor a = tensor({1, 2, 3, 4, 5, 6}, {2, 3});
  CHECK_CLOSE(a + tensor({10, 20, 30}), {11, 22, 33, 14, 25, 36}, 0, 0);
  CHECK_CLOSE(1.0 - a * 2, {-1, -3, -5, -7, -9, -11}, 0, 0);
  CHECK_CLOSE(a / tensor({2, 4}, {2, 1}), {0.5, 1, 1.5, 1, 1.25, 1.5}, 0, 0);
  const Tensor n = test::labels({1, 2, 3});
  CHECK((n + 1).dtype() == Dtype::i64);
  CHECK((n + 1.5).dtype() == Dtype::f32);
  CHECK((n / 2).dtype() == Dtype::f32);
  CHECK(n.eq(2).dtype() == Dtype::boolean);
  CHECK((tensor({1}) + tensor({1}, {1}, VISSL_F64)).dtype() == Dtype::f64);
  CHECK((n + tensor({0.5}, {})).dtype() == Dtype::f32);
  CHECK_THROWS_WITH_AS(a + tensor({1, 2}), "aten::add.Tensor: [2, 3] and [2] do not broadcast",
                       Failure);
  a.add_(tensor({1, 1, 1}), 2);
  CHECK_CLOSE(a, {3, 4, 5, 6, 7, 8}, 0, 0);
  CHECK_CLOSE(a.clamp(4, 6), {4, 4, 5, 6, 6, 6}, 0, 0);
  CHECK_CLOSE(where(a.gt(5), a, a * 0), {0, 0, 0, 6, 7, 8}, 0, 0);
}

TEST_CASE("fake tensors: views share memory, copies do not") {
  test::Host host;
  const Tensor queue = zeros({4, 2});
  queue.narrow(0, 1, 2).copy_(tensor({1, 2, 3, 4}, {2, 2}));
  CHECK_CLOSE(queue, {0, 0, 1, 2, 3, 4, 0, 0}, 0, 0);
  queue.t().select(0, 1).fill_(9);
  CHECK_CLOSE(queue, {0, 9, 1, 9, 3, 9, 0, 9}, 0, 0);
  CHECK(queue.t().sizes() == std::vector<std::int64_t>{2, 4});
  CHECK_CLOSE(queue.t().reshape({8}), {0, 1, 3, 0, 9, 9, 9, 9}, 0, 0);
  CHECK_THROWS_WITH_AS(queue.t().view({8}),
                       "aten::view: view of a tensor that is not contiguous; use reshape", Failure);
  const Tensor copy = queue.clone();
  queue.zero_();
  CHECK(copy.sum().item<double>() == 40);
  CHECK_CLOSE(cat({copy, copy}, 1).select(0, 1), {1, 9, 1, 9}, 0, 0);
  CHECK(stack({copy, copy}).sizes() == std::vector<std::int64_t>{2, 4, 2});
  CHECK_CLOSE(copy.index_select(0, test::labels({2, 0})), {3, 9, 0, 9}, 0, 0);
  const std::vector<Tensor> halves = copy.chunk(2);
  CHECK(halves.size() == 2);
  CHECK_CLOSE(halves[1], {3, 9, 0, 9}, 0, 0);
}

// Values printed by torch 2.11.
TEST_CASE("fake tensors: reductions, softmax and losses equal torch") {
  test::Host host;
  const Tensor x = tensor({0.5, -1, 2, 1.5, 0, -0.5}, {2, 3}, VISSL_F64);
  CHECK_CLOSE(x.sum({1}), {1.5, 1.0}, 1e-15, 0);
  CHECK_CLOSE(x.mean({0}, true), {1.0, -0.5, 0.75}, 1e-15, 0);
  CHECK_CLOSE(softmax(x, 1),
              {0.17529039, 0.03911257, 0.78559704, 0.73612472, 0.16425163, 0.09962366}, 1e-7, 0);
  CHECK_CLOSE(log_softmax(x, 1).select(0, 0), {-1.7413112967, -3.2413112967, -0.2413112967}, 1e-7,
              0);
  CHECK_CLOSE(logsumexp(x, {1}), {2.2413112967, 1.8063557122}, 1e-7, 0);
  const Tensor labels = test::labels({2, 0});
  CHECK_CLOSE(cross_entropy(x, labels), {0.2738335044}, 1e-7, 0);
  CHECK_CLOSE(cross_entropy(x, labels, Tensor(), -100, reduction_sum, 0.1), {0.8143336756}, 1e-7,
              0);
  CHECK_CLOSE(cross_entropy(x, test::labels({2, -100})), {0.2413112967}, 1e-7, 0);
  CHECK_CLOSE(cross_entropy(x, softmax(x, 1)), {0.6867825272}, 1e-6, 0);
  CHECK_CLOSE(normalize(x), {0.21821789, -0.43643578, 0.87287156, 0.9486833, 0, -0.31622777}, 1e-7,
              0);
  CHECK_CLOSE(std::get<0>(x.topk(2)), {2, 0.5, 1.5, 0}, 0, 0);
  CHECK_CLOSE(std::get<1>(x.topk(2)), {2, 0, 0, 1}, 0, 0);
  CHECK_CLOSE(x.argmax(1), {2, 0}, 0, 0);
  CHECK_CLOSE(std::get<0>(x.max(0)), {1.5, 0, 2}, 0, 0);
  CHECK_CLOSE(x.gather(1, tensor({2, 0}, {2, 1}, VISSL_I64)), {2, 1.5}, 0, 0);
  CHECK_CLOSE(one_hot(labels, 3), {0, 0, 1, 1, 0, 0}, 0, 0);
  CHECK_CLOSE(cumsum(x, 1).select(0, 0), {0.5, -0.5, 1.5}, 0, 0);
}

TEST_CASE("fake tensors: products, convolution, pooling and norms equal torch") {
  test::Host host;
  const Tensor a = tensor({1, 2, 3, 4}, {2, 2});
  CHECK_CLOSE(matmul(a, a), {7, 10, 15, 22}, 0, 0);
  CHECK_CLOSE(matmul(a, tensor({1, 1})), {3, 7}, 0, 0);
  CHECK_CLOSE(linear(a, a, tensor({1, -1})), {6, 10, 12, 24}, 0, 0);
  const Tensor image = arange(0, 16).reshape({1, 1, 4, 4}).to(Dtype::f32);
  CHECK_CLOSE(conv2d(image, ones({1, 1, 3, 3}), Tensor(), {2, 2}, {1, 1}), {10, 24, 51, 90}, 0, 0);
  CHECK_CLOSE(max_pool2d(image, {2, 2}), {5, 7, 13, 15}, 0, 0);
  CHECK_CLOSE(avg_pool2d(image, {2, 2}), {2.5, 4.5, 10.5, 12.5}, 0, 0);
  CHECK_CLOSE(adaptive_avg_pool2d(image, {1, 1}), {7.5}, 0, 0);
  CHECK_CLOSE(layer_norm(tensor({1, 2, 3, 6}, {2, 2}), 2, Tensor(), Tensor(), 0.0), {-1, 1, -1, 1},
              1e-12, 0);
}

// Values printed by torch 2.11.
TEST_CASE("fake tensors: resampling and padding equal torch") {
  test::Host host;
  const Tensor x = arange(0, 12).to(Dtype::f64).pow(1.5).reshape({1, 1, 3, 4});
  CHECK_CLOSE(upsample_nearest2d(x, {{2, 5}}, {}),
              {0, 0, 1, 2.8284271, 5.1961524, 8, 8, 11.1803399, 14.6969385, 18.5202592}, 1e-6, 0);
  CHECK_CLOSE(upsample_bilinear2d(x, {{2, 5}}, false, {}),
              {2, 3.0815597, 4.67032, 6.6150422, 8.5271788, 18.970562, 21.8227291, 25.2182007,
               28.7715874, 31.9922199},
              1e-5, 0);
  CHECK_CLOSE(upsample_bilinear2d(x, {{2, 3}}, true, {}),
              {0, 1.9142135, 5.1961522, 22.6274166, 29.311388, 36.482872}, 1e-5, 0);
  CHECK_CLOSE(upsample_bicubic2d(x, {{2, 3}}, false, {}),
              {1.4689451, 3.7229877, 7.2391953, 20.1174927, 25.9428959, 32.2874413}, 1e-5, 0);
  CHECK_CLOSE(upsample_bicubic2d(x, {}, false, {{0.7, 0.7}}),
              {1.3317063657, 3.7013387253, 18.7975413498, 24.8465437787}, 1e-9, 0);
  CHECK(upsample_nearest2d(x, {}, {{1.5, 1.5}}).sizes() == std::vector<std::int64_t>{1, 1, 4, 6});
  const Tensor small = arange(0, 6).to(Dtype::f32).reshape({1, 2, 3});
  CHECK_CLOSE(pad(small, {{1, 0, 0, 1}}, "constant", -1),
              {-1, 0, 1, 2, -1, 3, 4, 5, -1, -1, -1, -1}, 0, 0);
  CHECK_CLOSE(pad(small, {{2, 1}}, "reflect"), {2, 1, 0, 1, 2, 1, 5, 4, 3, 4, 5, 4}, 0, 0);
  CHECK_CLOSE(pad(small, {{1, 2}}, "replicate"), {0, 0, 1, 2, 2, 2, 3, 3, 4, 5, 5, 5}, 0, 0);
  const auto [top, places] = adaptive_max_pool2d(x.flip({3}), {2, 2});
  CHECK_CLOSE(top, {18.5202592, 11.1803399, 36.4828727, 27}, 1e-6, 0);
  CHECK_CLOSE(places, {4, 6, 8, 10}, 0, 0);
}

TEST_CASE("fake tensors: einsum, searchsorted and erfinv equal torch") {
  test::Host host;
  const Tensor a = tensor({1, 2, 3, 4}, {2, 2}), b = tensor({1, -1, 2, 0}, {2, 2});
  CHECK_CLOSE(einsum("ij, jk -> ki", {a, b}), {5, 11, -1, -3}, 0, 0);
  CHECK_CLOSE(einsum("ij,ij", {a, b}), {5}, 0, 0);
  CHECK_CLOSE(einsum("ii->i", {a}), {1, 4}, 0, 0);
  CHECK_CLOSE(einsum("ba,bc", {a, b}), {7, -1, 10, -2}, 0, 0);
  CHECK_THROWS_WITH_AS(einsum("ij,jk", {a, tensor({1, 2, 3}, {3, 1})}),
                       "aten::einsum: ij,jk: two sizes for 'j'", Failure);
  const Tensor sorted = tensor({1, 3, 3, 5, 0, 2, 4, 6}, {2, 4});
  const Tensor wanted = tensor({3, 0, 4, 7}, {2, 2});
  CHECK_CLOSE(searchsorted(sorted, wanted), {1, 0, 2, 4}, 0, 0);
  CHECK_CLOSE(searchsorted(sorted, wanted, false, true), {3, 0, 3, 4}, 0, 0);
  CHECK_CLOSE(searchsorted(sorted.select(0, 0), wanted), {1, 0, 3, 4}, 0, 0);
  CHECK_CLOSE(tensor({-0.99, -0.3, 0, 0.5, 0.999}, {5}, VISSL_F64).erfinv(),
              {-1.8213864, -0.2724627, 0, 0.4769363, 2.3267538}, 1e-7, 0);
}

TEST_CASE("fake tensors: batch norm updates the running statistics as torch does") {
  test::Host host;
  test::Store store;
  const nn::Scope scope(store.handle());
  const nn::BatchNorm norm(scope, 2);
  const Tensor x = tensor({1, 10, 3, 30}, {2, 2});
  CHECK_CLOSE(norm(x, true), {-0.999995, -0.99999995, 0.999995, 0.99999995}, 1e-8, 0);
  CHECK_CLOSE(store.at("running_mean"), {0.2, 2.0}, 1e-12, 0);
  CHECK_CLOSE(store.at("running_var"), {1.1, 20.9}, 1e-12, 0);
  CHECK_CLOSE(store.at("num_batches_tracked"), {1}, 0, 0);
  CHECK_CLOSE(norm(tensor({0.2, 2.0}, {1, 2}), false), {0, 0}, 1e-12, 0);
}

TEST_CASE("fake tensors: initial values are torch's for the same seed") {
  test::Host host;
  test::manual_seed(0);
  test::Store store;
  const nn::Linear layer(nn::Scope(store.handle()) / "fc", 3, 2);
  // torch.manual_seed(0); torch.nn.Linear(3, 2)
  CHECK_CLOSE(
      layer.weight,
      {-0.0043225177, 0.3097158372, -0.4751853347, -0.4248946011, -0.2223689705, 0.1548207253},
      1e-9, 1e-7);
  CHECK_CLOSE(layer.bias, {-0.0114391446, 0.4577749372}, 1e-9, 1e-7);
  CHECK(store.entries()[0].name == "fc.weight");
  const Tensor q = Tensor::borrow(store.child("o").add(
      [] {
        vissl_store_spec spec = {};
        spec.size = sizeof spec;
        spec.name = str("w");
        spec.dtype = VISSL_F32;
        spec.ndim = 2;
        spec.shape[0] = 3;
        spec.shape[1] = 5;
        spec.init = VISSL_INIT_ORTHOGONAL;
        spec.a = 2;
        return spec;
      }(),
      false));
  CHECK_CLOSE(matmul(q, q.t()), {4, 0, 0, 0, 4, 0, 0, 0, 4}, 1e-9, 0);
}

TEST_CASE("fake tensors: an operator that is not there says so") {
  test::Host host;
  CHECK_THROWS_WITH_AS(
      Op("aten::fft_fft"),
      "the fake host has no operator aten::fft_fft; test what needs it with the runtime", Failure);
}

// A plugin's mistakes with handles fail the test.
TEST_CASE("fake tensors: a leaked handle is a failure" * doctest::should_fail()) {
  test::Host host;
  CHECK(tensor({1}).release() != nullptr);
}
TEST_CASE("fake tensors: a double release is a failure" * doctest::should_fail()) {
  test::Host host;
  const Tensor t = tensor({1});
  tensor_api().release(t.handle());
}
TEST_CASE("fake tensors: a use after release is a failure" * doctest::should_fail()) {
  test::Host host;
  Tensor t = tensor({1});
  vissl_tensor* handle = t.release();
  tensor_api().release(handle);
  CHECK(tensor_api().info(handle, nullptr, nullptr) != VISSL_OK);
}
TEST_CASE("fake host: an instance that outlives the host is a failure" * doctest::should_fail()) {
  std::vector<test::Instance> left;
  test::Host host;
  host.load_self();
  left.push_back(host.component("lr_schedule", "ramp").create());
}

}  // namespace
