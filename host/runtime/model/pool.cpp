// Pooling of features for evaluation, by the names and arguments of torch's modules.
#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/adaptive_max_pool2d.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/max_pool2d.h>

#include <algorithm>
#include <array>

#include "host/runtime/model/model.hpp"

namespace vissl::host {

namespace {

struct Signature {
  const char* op;
  std::size_t min_args, max_args;
};
constexpr std::array<Signature, 5> kSignatures = {{{"AvgPool2d", 1, 3},
                                                   {"MaxPool2d", 1, 3},
                                                   {"AdaptiveAvgPool2d", 1, 1},
                                                   {"AdaptiveMaxPool2d", 1, 1},
                                                   {"Identity", 0, 0}}};

[[noreturn]] void bad(const Pool& pool, const std::string& what) {
  throw Error(Exit::usage,
              pool.place + ": feature '" + pool.feature + "' of model.feature_eval: " + what);
}

std::vector<int64_t> read_argument(const Setting& value, const Pool& pool) {
  std::vector<int64_t> numbers;
  if (value.type() == VISSL_VALUE_LIST) {
    for (std::size_t i = 0; i < value.size(); ++i) numbers.push_back(value.at(i).as_int());
  } else {
    numbers.push_back(value.as_int());
  }
  if (numbers.empty() || numbers.size() > 2)
    bad(pool, pool.op + " takes one or two numbers per argument");
  return numbers;
}

}  // namespace

Pool read_pool(const Setting& config) {
  Pool pool;
  pool.place = config.where();
  pool.feature = config.string("name");
  pool.op = config["pool"] ? config.string("pool") : "Identity";
  const Setting args = config["args"];
  for (std::size_t i = 0; i < args.size(); ++i)
    pool.args.push_back(read_argument(args.at(i), pool));
  const auto* signature = std::find_if(kSignatures.begin(), kSignatures.end(),
                                       [&](const Signature& s) { return pool.op == s.op; });
  if (signature == kSignatures.end())
    bad(pool, "there is no pooling '" + pool.op +
                  "'; use AvgPool2d, MaxPool2d, AdaptiveAvgPool2d, AdaptiveMaxPool2d or Identity");
  if (pool.args.size() < signature->min_args || pool.args.size() > signature->max_args)
    bad(pool, pool.op + " takes " + std::to_string(signature->min_args) + " to " +
                  std::to_string(signature->max_args) + " arguments, but args has " +
                  std::to_string(pool.args.size()));
  return pool;
}

at::Tensor apply_pool(const Pool& pool, const at::Tensor& feature) {
  if (pool.op == "Identity") return feature;
  const std::vector<int64_t>& size = pool.args[0];
  if (pool.op == "AdaptiveAvgPool2d" || pool.op == "AdaptiveMaxPool2d") {
    const std::vector<int64_t> output{size.front(), size.back()};
    return pool.op == "AdaptiveAvgPool2d" ? at::adaptive_avg_pool2d(feature, output)
                                          : std::get<0>(at::adaptive_max_pool2d(feature, output));
  }
  const std::vector<int64_t> stride = pool.args.size() > 1 ? pool.args[1] : size;
  const std::vector<int64_t> padding =
      pool.args.size() > 2 ? pool.args[2] : std::vector<int64_t>{0};
  return pool.op == "AvgPool2d" ? at::avg_pool2d(feature, size, stride, padding)
                                : at::max_pool2d(feature, size, stride, padding);
}

}  // namespace vissl::host
