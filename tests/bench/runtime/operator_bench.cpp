// What a call through the operator table costs beside the same call of ATen: nanoseconds of this
// thread's CPU time per call, as one JSON object, the smallest of seven turns of both sides. Driven
// by `scripts/bench operator`.
//
//   operator_bench CALLS
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/grad_mode.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <limits>

#include "host/runtime/abi/test_call.hpp"

using namespace vissl::host;
using namespace vissl::host::test;

namespace {

double thread_ns() {
  std::timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

double ns_per_call(int calls, const std::function<void(int)>& loop) {
  const double start = thread_ns();
  loop(calls);
  return (thread_ns() - start) / calls;
}

struct Pair {
  const char* name;
  std::function<void(int)> table, direct;
};

// As the SDK's C++ layer calls: the operator is looked up once, arguments lie on the stack, the
// result is an owned handle that is released.
template <std::size_t N>
at::Tensor through(const vissl_op* op, const vissl_arg (&args)[N]) {
  vissl_arg result;
  std::uint64_t count = 0;
  if (tensor_api().op_call(op, args, N, &result, 1, &count, nullptr) != VISSL_OK) std::abort();
  return take(result.as.tensor);
}

}  // namespace

int main(int argc, char** argv) {
  const int calls = argc == 2 ? std::atoi(argv[1]) : 0;
  if (calls < 1) {
    std::fprintf(stderr, "usage: operator_bench CALLS\n");
    return 2;
  }
  at::set_num_threads(1);
  const at::Tensor a = at::ones({4, 4}), b = at::ones({4, 4});
  const at::Tensor x = at::ones({8, 16}), weight = at::ones({16, 16}).requires_grad_(true),
                   bias = at::ones({16}).requires_grad_(true);
  const vissl_op* add = find_op("aten::add.Tensor");
  const vissl_op* view = find_op("aten::view");
  const vissl_op* linear = find_op("aten::linear");
  const vissl_op* sum = find_op("aten::sum");
  const std::vector<std::int64_t> shape{2, 8};

  const std::vector<Pair> pairs{
      {"add",
       [&](int n) {
         const torch::autograd::AutoGradMode off(false);
         for (int i = 0; i < n; ++i) through(add, {arg(a), arg(b), arg(1)});
       },
       [&](int n) {
         const torch::autograd::AutoGradMode off(false);
         for (int i = 0; i < n; ++i) at::add(a, b);
       }},
      {"view",
       [&](int n) {
         const torch::autograd::AutoGradMode off(false);
         for (int i = 0; i < n; ++i) through(view, {arg(a), arg(shape)});
       },
       [&](int n) {
         const torch::autograd::AutoGradMode off(false);
         for (int i = 0; i < n; ++i) a.view(shape);
       }},
      {"linear_backward",
       [&](int n) {
         for (int i = 0; i < n / 10; ++i) {
           const at::Tensor y = through(linear, {arg(x), arg(weight), arg(bias)});
           torch::autograd::backward({through(sum, {arg(y), none()})}, {});
         }
       },
       [&](int n) {
         for (int i = 0; i < n / 10; ++i)
           torch::autograd::backward({at::sum(at::linear(x, weight, bias))}, {});
       }},
  };
  std::string out;
  for (const Pair& pair : pairs) {
    double table = std::numeric_limits<double>::max(), direct = table;
    for (int turn = 0; turn < 7; ++turn) {
      direct = std::min(direct, ns_per_call(calls, pair.direct));
      table = std::min(table, ns_per_call(calls, pair.table));
    }
    const std::string name = pair.name;
    const double scale = name == "linear_backward" ? 10 : 1;  // it does a tenth of the calls
    char line[160];
    std::snprintf(line, sizeof line, "%s\"%s_table_ns\":%.1f,\"%s_direct_ns\":%.1f",
                  out.empty() ? "" : ",", pair.name, table * scale, pair.name, direct * scale);
    out += line;
  }
  std::printf("{%s}\n", out.c_str());
  return 0;
}
