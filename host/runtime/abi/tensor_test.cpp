#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "host/runtime/abi/context.hpp"
#include "host/runtime/abi/guard.hpp"
#include "host/runtime/abi/test_call.hpp"
#include "host/runtime/abi/values.hpp"

using namespace vissl::host;
using namespace vissl::host::test;

TEST_CASE("op_call: tensors, numbers, lists and strings arrive as every schema kind") {
  const at::Tensor x = at::arange(24, at::kFloat).reshape({2, 3, 4});
  const at::Tensor m = x.select(0, 0);

  SUBCASE("Tensor, and Scalar with its default") {
    CHECK(same(call1("aten::add.Tensor", {arg(m), arg(m)}), m + m));
    CHECK(same(call1("aten::add.Tensor", {arg(m), arg(m), arg(3)}), at::add(m, m, 3)));
    CHECK(same(call1("aten::add.Tensor", {arg(m), arg(m), arg(0.5)}), at::add(m, m, 0.5)));
  }
  SUBCASE("a number for a Tensor takes part in type promotion as a number") {
    const at::Tensor half = m.to(at::kBFloat16);
    CHECK(same(call1("aten::mul.Tensor", {arg(half), arg(2.5)}), half * 2.5));
    const at::Tensor ints = at::arange(3);
    CHECK(same(call1("aten::mul.Tensor", {arg(ints), arg(2)}), ints * 2));
    CHECK(same(call1("aten::mul.Tensor", {arg(ints), arg(2.5)}), ints * 2.5));
  }
  SUBCASE("int, bool") {
    CHECK(same(call1("aten::softmax.int", {arg(m), arg(-1)}), at::softmax(m, -1)));
    CHECK(same(call1("aten::argmax", {arg(m), arg(1), arg(true)}), at::argmax(m, 1, true)));
  }
  SUBCASE("int[], int[] or none, int[1] as one int, and a dtype") {
    CHECK(same(call1("aten::permute", {arg(x), arg(std::vector<int64_t>{2, 0, 1})}),
               x.permute({2, 0, 1})));
    CHECK(same(call1("aten::sum.dim_IntList", {arg(x), arg(std::vector<int64_t>{0, 2})}),
               x.sum(at::IntArrayRef{0, 2})));
    CHECK(same(call1("aten::sum.dim_IntList", {arg(x), none()}), x.sum()));
    CHECK(same(call1("aten::sum.dim_IntList", {arg(x), arg(1)}), x.sum(at::IntArrayRef{1})));
    CHECK(same(call1("aten::sum.dim_IntList",
                     {arg(x), arg(1), arg(true), tagged(VISSL_T_DTYPE, VISSL_F64)}),
               x.sum(at::IntArrayRef{1}, true, at::kDouble)));
  }
  SUBCASE("SymInt[] and SymInt") {
    CHECK(same(call1("aten::view", {arg(x), arg(std::vector<int64_t>{6, -1})}), x.view({6, -1})));
    CHECK(same(call1("aten::select.int", {arg(x), arg(0), arg(1)}), x.select(0, 1)));
    CHECK(same(call1("aten::slice.Tensor", {arg(m), arg(1), arg(1), none(), arg(2)}),
               m.slice(1, 1, std::nullopt, 2)));
  }
  SUBCASE("one int for int[2] of a pooling") {
    const at::Tensor image = x.unsqueeze(0);
    CHECK(same(call1("aten::max_pool2d", {arg(image), arg(2)}), at::max_pool2d(image, {2, 2})));
  }
  SUBCASE("float and float[]; an int is fine for a float") {
    CHECK(same(call1("aten::leaky_relu", {arg(m), arg(0.1)}), at::leaky_relu(m, 0.1)));
    CHECK(same(call1("aten::layer_norm",
                     {arg(m), arg(std::vector<int64_t>{4}), none(), none(), arg(1), arg(false)}),
               at::layer_norm(m, {4}, {}, {}, 1.0, false)));
    const at::Tensor image = x.unsqueeze(0);
    CHECK(same(call1("aten::upsample_nearest2d.vec",
                     {arg(image), none(), arg(std::vector<double>{2.0, 2.0})}),
               at::upsample_nearest2d(image, std::nullopt, at::ArrayRef<double>{2.0, 2.0})));
  }
  SUBCASE("bool[] with Tensor? and several results, one of them undefined") {
    const at::Tensor grad = at::ones({1, 2, 2, 2});
    const at::Tensor input = at::arange(18, at::kFloat).reshape({1, 2, 3, 3});
    const at::Tensor weight = at::ones({2, 2, 2, 2});
    const std::vector<int64_t> one{1, 1}, zero{0, 0};
    const std::vector<uint8_t> mask{1, 1, 0};
    const auto out = call("aten::convolution_backward",
                          {arg(grad), arg(input), arg(weight), none(), arg(one), arg(zero),
                           arg(one), arg(false), arg(zero), arg(1), arg(mask)});
    const auto direct = at::convolution_backward(grad, input, weight, std::nullopt, one, zero, one,
                                                 false, zero, 1, {true, true, false});
    REQUIRE(out.size() == 3);
    CHECK(same(take(out[0].as.tensor), std::get<0>(direct)));
    CHECK(same(take(out[1].as.tensor), std::get<1>(direct)));
    CHECK(out[2].tag == VISSL_T_NONE);
  }
  SUBCASE("Tensor[] in, and a list of unknown length out") {
    std::vector<at::Tensor> pieces{m, m + 1};
    const auto handles = borrow_all(pieces);
    CHECK(same(call1("aten::cat", {arg(handles), arg(1)}), at::cat(pieces, 1)));
    const auto out = call("aten::split.Tensor", {arg(x), arg(1), arg(1)});
    REQUIRE(out.size() == 1);
    REQUIRE(out[0].tag == VISSL_T_LIST_HANDLE);
    REQUIRE(tensor_api().list_size(out[0].as.list) == 3);
    CHECK(same(take(tensor_api().list_get(out[0].as.list, 2)), x.split(1, 1)[2]));
    CHECK(tensor_api().list_get(out[0].as.list, 3) == nullptr);
    tensor_api().list_release(out[0].as.list);
  }
  SUBCASE("Tensor?[] with a hole") {
    const at::Tensor rows = at::tensor({1, 0});
    CHECK(same(call1("aten::index.Tensor",
                     {arg(x), arg(std::vector<vissl_tensor*>{nullptr, borrow(rows)})}),
               x.index({at::indexing::Slice(), rows})));
  }
  SUBCASE("str") {
    CHECK(same(call1("aten::gelu", {arg(m), arg(std::string_view("tanh"))}), at::gelu(m, "tanh")));
  }
  SUBCASE("ScalarType, Layout, Device, MemoryFormat and bool?") {
    const at::Tensor zeros = call1(
        "aten::zeros", {arg(std::vector<int64_t>{2, 3, 4, 5}), tagged(VISSL_T_DTYPE, VISSL_I64),
                        tagged(VISSL_T_LAYOUT, 0),
                        tagged(VISSL_T_DEVICE, VISSL_DEVICE(VISSL_DEVICE_CPU, 0)), arg(false)});
    CHECK(same(zeros, at::zeros({2, 3, 4, 5}, at::kLong)));
    CHECK(call1("aten::contiguous", {arg(zeros), tagged(VISSL_T_MEMORY_FORMAT, 2)})
              .is_contiguous(at::MemoryFormat::ChannelsLast));
  }
  SUBCASE("Generator") {
    auto generator = default_generator();
    generator.set_current_seed(7);
    vissl_arg g{VISSL_T_GENERATOR, 0, {}};
    g.as.generator = tensor_api().generator();
    const at::Tensor drawn = call1("aten::uniform", {arg(m), arg(0.0), arg(1.0), g});
    generator.set_current_seed(7);
    CHECK(same(drawn, at::empty_like(m).uniform_(0, 1)));
  }
  SUBCASE("results that are no tensors") {
    const at::Tensor number = at::scalar_tensor(2.5, at::kDouble);
    const auto out = call("aten::item", {arg(number)});
    REQUIRE(out.size() == 1);
    REQUIRE(out[0].tag == VISSL_T_DOUBLE);
    CHECK(out[0].as.d == 2.5);
    const auto equal = call("aten::equal", {arg(m), arg(m)});
    REQUIRE(equal[0].tag == VISSL_T_BOOL);
    CHECK(equal[0].as.i == 1);
  }
  SUBCASE("an operator in place returns a new handle of the same tensor") {
    at::Tensor y = m.clone();
    const at::Tensor same_tensor = call1("aten::mul_.Tensor", {arg(y), arg(2)});
    CHECK(same_tensor.is_same(y));
    CHECK(same(y, m * 2));
  }
}

TEST_CASE("op_call: autograd records calls through the table") {
  const at::Tensor w = at::ones({3}).requires_grad_(true);
  const at::Tensor x = at::arange(3, at::kFloat);
  call1("aten::sum", {arg(call1("aten::mul.Tensor", {arg(w), arg(x)}))}).backward();
  CHECK(same(w.grad(), x));
}

TEST_CASE("op_call: errors carry one sentence and the operator's name") {
  const at::Tensor a = at::ones({2, 3});
  CHECK(error_of([&] {
          call("aten::mm", {arg(a), arg(a)});
        }) == "aten::mm: mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)");
  CHECK(error_of([&] { call("aten::mm", {arg(a)}); }) ==
        "aten::mm: takes 2 to 2 arguments, but was given 1");
  CHECK(error_of([&] {
          call("aten::softmax.int", {arg(a), arg(1.5)});
        }) == "aten::softmax.int: parameter 'dim' takes int, but was given a float");
  CHECK(error_of([&] { call("aten::relu", {none()}); }) ==
        "aten::relu: parameter 'self' takes Tensor, but was given none");
  CHECK(error_of([&] {
          call("aten::cat", {arg(std::vector<vissl_tensor*>{nullptr}), arg(0)});
        }) == "aten::cat: element 0 of parameter 'tensors' is no tensor");
  CHECK(tensor_api().op_call(find_op("aten::mm"), nullptr, 0, nullptr, 0, nullptr, nullptr) ==
        VISSL_E_FAILED);  // a NULL sink is allowed
}

TEST_CASE("op_call: an operator without a deterministic way says which setting allows it") {
  at::globalContext().setDeterministicAlgorithms(true, false);
  std::string text;
  try {
    at::globalContext().alertNotDeterministic("some_backward_cuda");
  } catch (...) {
    text = current_exception_text();
  }
  at::globalContext().setDeterministicAlgorithms(false, false);
  CHECK(text ==
        "some_backward_cuda does not have a deterministic implementation on this device; set "
        "machine.deterministic = false to use it: two runs then differ in their last bits");
}

TEST_CASE("op_call: the device's generator serves operators on the CPU too") {
  const Context before = context();
  context().device = at::Device(at::kCPU);
  at::Generator generator = default_generator();
  vissl_arg random{VISSL_T_GENERATOR, 0, {}};
  random.as.generator = reinterpret_cast<vissl_generator*>(&generator);
  Slot slot;
  slot.kind = Slot::Kind::generator;
  torch::jit::Stack stack;
  push_argument(stack, slot, random);
  CHECK(stack.back().isGenerator());
  slot.optional = true;  // then libtorch chooses the default of the operator's device
  push_argument(stack, slot, random);
  CHECK(stack.back().isNone());
  at::Generator own = generator.clone();
  random.as.generator = reinterpret_cast<vissl_generator*>(&own);
  push_argument(stack, slot, random);
  CHECK(stack.back().isGenerator());
  context() = before;
}

TEST_CASE("op_find: unknown names, overloads and schemas are refused when the operator is found") {
  CHECK(error_of([] { find_op("aten::no_such_thing"); }) ==
        "libtorch 2.11.0 has no operator 'aten::no_such_thing'");
  CHECK(error_of([] { find_op("aten::relu.Tensor"); }) ==
        "libtorch 2.11.0 has no overload 'Tensor' of 'aten::relu'; it has '', 'out'");
  CHECK(find_op("aten::relu", "aten::relu(Tensor self) -> Tensor") == find_op("aten::relu"));
  // A parameter with a default was appended since: old calls still mean the same.
  CHECK(find_op("aten::gelu", "aten::gelu(Tensor self) -> Tensor") != nullptr);
  const std::string changed =
      error_of([] { find_op("aten::relu", "aten::relu(Tensor self, float slope) -> Tensor"); });
  CHECK(changed.find("libtorch 2.11.0 has 'aten::relu(Tensor self) -> Tensor'") !=
        std::string::npos);
}

TEST_CASE("handles: what is created is released") {
  const int64_t before = live_handles();
  const at::Tensor x = at::ones({4});
  vissl_tensor* h = wrap(x);
  vissl_tensor* second = tensor_api().retain(h);
  CHECK(live_handles() == before + 2);
  CHECK(unwrap(second).is_same(x));
  tensor_api().release(h);
  tensor_api().release(second);
  tensor_api().release(nullptr);
  // Results that find no room are dropped, and their number is told.
  const std::vector<vissl_arg> args{arg(x), arg(0)};
  vissl_arg result{};
  uint64_t count = 0;
  REQUIRE(tensor_api().op_call(find_op("aten::max.dim"), args.data(), 2, &result, 1, &count,
                               nullptr) == VISSL_OK);
  CHECK(count == 2);
  tensor_api().release(result.as.tensor);
  CHECK(live_handles() == before);
}

TEST_CASE(
    "info: tells shape, strides, type and address, and writes no more than the caller's size") {
  const at::Tensor x = at::ones({2, 3}, at::kDouble).t().requires_grad_(true);
  vissl_tensor_info info{};
  info.size = sizeof(info);
  REQUIRE(tensor_api().info(borrow(x), &info, nullptr) == VISSL_OK);
  CHECK(info.dtype == VISSL_F64);
  REQUIRE(info.ndim == 2);
  CHECK(info.sizes[0] == 3);
  CHECK(info.strides[0] == 1);
  CHECK(info.numel == 6);
  CHECK(info.device == VISSL_DEVICE(VISSL_DEVICE_CPU, 0));
  CHECK(info.requires_grad == 1);
  CHECK(info.is_contiguous == 0);
  CHECK(info.data == x.data_ptr());

  vissl_tensor_info old{};
  std::memset(&old, 0x7f, sizeof(old));
  old.size = offsetof(vissl_tensor_info, numel);
  const int64_t untouched = old.numel;
  REQUIRE(tensor_api().info(borrow(x), &old, nullptr) == VISSL_OK);
  CHECK(old.ndim == 2);
  CHECK(old.numel == untouched);
}

TEST_CASE("from_array and to_memory: copy in and out with conversion") {
  const float values[6] = {0, 1, 2, 3, 4, 5.75F};
  vissl_array array{sizeof(vissl_array), VISSL_F32, 2, {2, 3}, values};
  vissl_tensor* handle = nullptr;
  REQUIRE(tensor_api().from_array(&array, &handle, nullptr) == VISSL_OK);
  const at::Tensor x = take(handle);
  CHECK(same(x, at::tensor({0.0F, 1.0F, 2.0F, 3.0F, 4.0F, 5.75F}).reshape({2, 3})));

  double out[6] = {};
  const at::Tensor transposed = x.t();
  REQUIRE(tensor_api().to_memory(borrow(transposed), VISSL_F64, out, sizeof(out), nullptr) ==
          VISSL_OK);
  CHECK(out[1] == 3.0);
  CHECK(out[5] == 5.75);
  ErrorSink err;
  CHECK(tensor_api().to_memory(borrow(x), VISSL_F64, out, 8, err.get()) == VISSL_E_FAILED);
  CHECK(err.text() == "a tensor of shape [2, 3] has 48 bytes, but the memory for its copy has 8");
}

TEST_CASE("handles: NULL is refused with a sentence, or stays NULL") {
  const vissl_tensor_api& api = tensor_api();
  const auto refused = [](const std::string& function, auto&& method) {
    CAPTURE(function);
    ErrorSink err;
    CHECK(method(err.get()) == VISSL_E_FAILED);
    CHECK(err.text() == function +
                            " was given no tensor: the handle is NULL; set the tensor before it is "
                            "used");
  };
  const at::Tensor x = at::ones({2, 3});
  vissl_tensor_info info{};
  info.size = sizeof(info);
  double number = 0.0;
  vissl_tensor* out = nullptr;
  refused("info", [&](vissl_err* err) { return api.info(nullptr, &info, err); });
  refused("to_memory", [&](vissl_err* err) {
    return api.to_memory(nullptr, VISSL_F64, &number, sizeof number, err);
  });
  refused("set_requires_grad",
          [&](vissl_err* err) { return api.set_requires_grad(nullptr, 1, err); });
  refused("batch_norm", [&](vissl_err* err) {
    return api.batch_norm(nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, 1, 0.1, 1e-5, &out,
                          err);
  });
  refused("set_data", [&](vissl_err* err) { return api.set_data(nullptr, borrow(x), err); });
  refused("set_data", [&](vissl_err* err) { return api.set_data(borrow(x), nullptr, err); });
  refused("all_reduce", [](vissl_err* err) {
    return collectives_api().all_reduce(nullptr, VISSL_REDUCE_SUM, err);
  });
  ErrorSink no_array, no_operator;
  CHECK(api.from_array(nullptr, &out, no_array.get()) == VISSL_E_FAILED);
  CHECK(no_array.text() == "from_array was given no array");
  uint64_t count = 0;
  CHECK(api.op_call(nullptr, nullptr, 0, nullptr, 0, &count, no_operator.get()) == VISSL_E_FAILED);
  CHECK(no_operator.text() == "op_call was given no operator; find it with op_find first");
  vissl_arg missing{VISSL_T_TENSOR, 0, {}};
  CHECK(error_of([&] { call("aten::abs", {missing}); }) ==
        "aten::abs: parameter 'self' takes Tensor, but was given none");
  CHECK(api.retain(nullptr) == nullptr);
  CHECK(api.list_size(nullptr) == 0);
  CHECK(api.list_get(nullptr, 0) == nullptr);
  api.list_release(nullptr);
  CHECK(out == nullptr);
}

TEST_CASE("grad mode and autocast: each setter returns what was before") {
  CHECK(tensor_api().set_grad_enabled(0) == 1);
  const at::Tensor w = at::ones({1}).requires_grad_(true);
  CHECK_FALSE(call1("aten::mul.Tensor", {arg(w), arg(2)}).requires_grad());
  CHECK(tensor_api().set_grad_enabled(1) == 0);

  const at::Tensor a = at::ones({2, 2});
  auto dtype = [&] {
    return static_cast<vissl_dtype>(call1("aten::mm", {arg(a), arg(a)}).scalar_type());
  };
  CHECK(tensor_api().set_autocast_enabled(1) == 0);
  CHECK(dtype() == VISSL_F32);  // the run uses none: on restores that
  context().autocast = true;
  {
    AutocastScope scope;
    CHECK(dtype() == VISSL_BF16);
    CHECK(tensor_api().set_autocast_enabled(0) == 1);
    CHECK(dtype() == VISSL_F32);
    CHECK(tensor_api().set_autocast_enabled(1) == 0);
    CHECK(dtype() == VISSL_BF16);
  }
  context().autocast = false;
  CHECK(dtype() == VISSL_F32);
}
