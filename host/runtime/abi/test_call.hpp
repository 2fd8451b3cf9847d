#pragma once
// Test support: calls operators through the table as a plugin does.
#include <ATen/core/Tensor.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "host/boundary.hpp"
#include "host/runtime/abi/handle.hpp"
#include "host/runtime/abi/tables.hpp"

namespace vissl::host::test {

inline vissl_arg none() {
  return {VISSL_T_NONE, 0, {}};
}
inline vissl_arg arg(const at::Tensor& t) {
  vissl_arg a{VISSL_T_TENSOR, 0, {}};
  a.as.tensor = borrow(t);
  return a;
}
inline vissl_arg tagged(uint32_t tag, int64_t value) {
  vissl_arg a{tag, 0, {}};
  a.as.i = value;
  return a;
}
inline vissl_arg arg(int64_t value) {
  return tagged(VISSL_T_INT, value);
}
inline vissl_arg arg(int value) {
  return tagged(VISSL_T_INT, value);
}
inline vissl_arg arg(bool value) {
  return tagged(VISSL_T_BOOL, value ? 1 : 0);
}
inline vissl_arg arg(double value) {
  vissl_arg a{VISSL_T_DOUBLE, 0, {}};
  a.as.d = value;
  return a;
}
inline vissl_arg arg(std::string_view s) {
  vissl_arg a{VISSL_T_STRING, static_cast<uint32_t>(s.size()), {}};
  a.as.s = s.data();
  return a;
}
inline vissl_arg arg(const std::vector<int64_t>& v) {
  vissl_arg a{VISSL_T_INT_LIST, static_cast<uint32_t>(v.size()), {}};
  a.as.ints = v.data();
  return a;
}
inline vissl_arg arg(const std::vector<double>& v) {
  vissl_arg a{VISSL_T_DOUBLE_LIST, static_cast<uint32_t>(v.size()), {}};
  a.as.doubles = v.data();
  return a;
}
inline vissl_arg arg(const std::vector<uint8_t>& v) {
  vissl_arg a{VISSL_T_BOOL_LIST, static_cast<uint32_t>(v.size()), {}};
  a.as.bools = v.data();
  return a;
}
inline vissl_arg arg(const std::vector<vissl_tensor*>& v) {
  vissl_arg a{VISSL_T_TENSOR_LIST, static_cast<uint32_t>(v.size()), {}};
  a.as.tensors = v.data();
  return a;
}

// Resolves "aten::sum.dim_IntList"; throws Error with the text that a plugin would get.
inline const vissl_op* find_op(const std::string& full_name, const std::string& schema = {}) {
  const auto dot = full_name.find('.');
  const std::string name = full_name.substr(0, dot);
  const std::string overload = dot == std::string::npos ? "" : full_name.substr(dot + 1);
  const vissl_op* op = nullptr;
  ErrorSink err;
  err.check(tensor_api().op_find(str(name), str(overload), str(schema), &op, err.get()), "");
  return op;
}

inline std::vector<vissl_arg> call(const std::string& name, const std::vector<vissl_arg>& args) {
  vissl_arg results[8];
  uint64_t count = 0;
  ErrorSink err;
  err.check(
      tensor_api().op_call(find_op(name), args.data(), args.size(), results, 8, &count, err.get()),
      "");
  return {results, results + count};
}

// A call whose one result is a tensor.
inline at::Tensor call1(const std::string& name, const std::vector<vissl_arg>& args) {
  const auto results = call(name, args);
  if (results.size() != 1 || results[0].tag != VISSL_T_TENSOR)
    throw Error(Exit::run_failed, name + " did not return one tensor");
  return take(results[0].as.tensor);
}

// The text of the Error that `body` throws; "" when it throws none.
template <class Body>
std::string error_of(Body&& body) {
  try {
    body();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

inline bool same(const at::Tensor& a, const at::Tensor& b) {
  return a.sizes() == b.sizes() && a.scalar_type() == b.scalar_type() && a.equal(b);
}

}  // namespace vissl::host::test
