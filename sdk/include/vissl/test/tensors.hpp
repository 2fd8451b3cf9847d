#pragma once
// The service "vissl.tensor/1" of the fake host, and how tests make and compare tensors:
//
//   Tensor x = test::tensor({1, 2, 3, 4}, {2, 2});              // float32
//   CHECK_CLOSE(matmul(x, x), {7, 10, 15, 22}, 1e-6, 1e-6);
//
// The operators take seconds to compile, so one file of a test program defines
// VISSL_TEST_IMPLEMENTATION before it includes test.hpp.
#include <vissl/test/engine.hpp>
#ifdef VISSL_TEST_IMPLEMENTATION
#include <vissl/test/ops_foreach.hpp>
#include <vissl/test/ops_index.hpp>
#include <vissl/test/ops_linear.hpp>
#include <vissl/test/ops_random.hpp>
#include <vissl/test/ops_resample.hpp>
#endif

#include <cstdio>

namespace vissl {
namespace test VISSL_HIDDEN {

namespace detail {

// Defined in the file with VISSL_TEST_IMPLEMENTATION.
const OpTable& operators();
// Batch norm over dimension 1, with torch's running statistics (unbiased variance).
Array batch_norm(const Array& x, const Array* weight, const Array* bias, Array* mean, Array* var,
                 bool training, double momentum, double eps);

inline vissl_status op_find(vissl_str name, vissl_str overload, vissl_str, const vissl_op** op,
                            vissl_err* err) {
  return guarded(err, [&] {
    std::string key(view(name));
    if (overload.size != 0) key += "." + std::string(view(overload));
    const auto found = operators().find(key);
    if (found == operators().end()) {
      fail(VISSL_E_PLUGIN,
           "the fake host has no operator " + key + "; test what needs it with the runtime");
    }
    *op = reinterpret_cast<const vissl_op*>(&*found);
  });
}

// A list that an operator returned; the caller releases it.
struct TensorList {
  std::vector<std::shared_ptr<Array>> arrays;
};
inline int& living_lists() {
  static int count = 0;
  return count;
}

inline vissl_status op_call(const vissl_op* op, const vissl_arg* args, std::uint64_t arg_count,
                            vissl_arg* results, std::uint64_t capacity, std::uint64_t* result_count,
                            vissl_err* err) {
  const auto& entry = *reinterpret_cast<const OpTable::value_type*>(op);
  return guarded(err, [&] {
    OpCall call(args, arg_count);
    try {
      entry.second(call);
    } catch (const std::exception& error) {
      fail(entry.first + ": " + error.what());
    }
    const bool one = call.is_list() || call.flag_result().has_value();
    *result_count = one ? 1 : call.results().size();
    for (std::uint64_t i = 0; i < std::min(*result_count, capacity); ++i) {
      results[i] = {};
      if (call.flag_result()) {
        results[i].tag = VISSL_T_BOOL;
        results[i].as.i = *call.flag_result() ? 1 : 0;
      } else if (call.is_list()) {
        results[i].tag = VISSL_T_LIST_HANDLE;
        results[i].as.list = reinterpret_cast<vissl_tensor_list*>(new TensorList{call.results()});
        ++living_lists();
      } else {
        results[i].tag = VISSL_T_TENSOR;
        results[i].as.tensor = Engine::current().give(call.results()[static_cast<std::size_t>(i)]);
      }
    }
  });
}

inline vissl_status tensor_info(vissl_tensor* t, vissl_tensor_info* out, vissl_err* err) {
  return guarded(err, [&] {
    const Array& a = Engine::current().array(t);
    out->dtype = a.dtype;
    out->ndim = static_cast<std::uint32_t>(a.dim());
    out->sizes = a.sizes.data();
    out->strides = a.strides.data();
    out->numel = a.numel();
    out->device = VISSL_DEVICE(VISSL_DEVICE_CPU, 0);
    out->requires_grad = a.requires_grad ? 1 : 0;
    out->is_contiguous = a.contiguous() ? 1 : 0;
    out->data = nullptr;  // elements are doubles here: use to_memory
  });
}

inline Array read_array(const vissl_array& array) {
  const std::vector<double> values = to_vector<double>(array);
  return Array::make(values, shape_of(array), array.dtype);
}

template <class T>
void write_as(const Values& values, void* data) {
  T* out = static_cast<T*>(data);
  for (std::size_t i = 0; i < values.size(); ++i) out[i] = static_cast<T>(values[i]);
}
// Row-major elements as `dtype`; `bytes` must fit exactly.
inline void write_memory(const Values& values, vissl_dtype dtype, void* data, std::uint64_t bytes) {
  const auto expect = [&](std::size_t size) {
    if (bytes != values.size() * size) fail("the memory does not fit the tensor");
  };
  switch (dtype) {
    case VISSL_F32:
      return expect(4), write_as<float>(values, data);
    case VISSL_F64:
      return expect(8), write_as<double>(values, data);
    case VISSL_I64:
      return expect(8), write_as<std::int64_t>(values, data);
    case VISSL_I32:
      return expect(4), write_as<std::int32_t>(values, data);
    case VISSL_I16:
      return expect(2), write_as<std::int16_t>(values, data);
    case VISSL_I8:
      return expect(1), write_as<std::int8_t>(values, data);
    case VISSL_BOOL:
    case VISSL_U8:
      return expect(1), write_as<std::uint8_t>(values, data);
    default:
      fail("the fake host does not write element type " + std::to_string(dtype));
  }
}

}  // namespace detail

inline const vissl_tensor_api& tensor_service() {
  using detail::TensorList;
  static const vissl_tensor_api api = {
      sizeof(vissl_tensor_api), &detail::op_find, &detail::op_call,
      [](vissl_tensor* t) { return Engine::current().give(Engine::current().shared(t)); },
      [](vissl_tensor* t) { Engine::release_anywhere(t); }, &detail::tensor_info,
      [](const vissl_array* array, vissl_tensor** out, vissl_err* err) {
        return guarded(err, [&] { *out = Engine::current().give(detail::read_array(*array)); });
      },
      [](vissl_tensor* t, vissl_dtype dtype, void* data, std::uint64_t bytes, vissl_err* err) {
        return guarded(err, [&] {
          detail::write_memory(Engine::current().array(t).values(), dtype, data, bytes);
        });
      },
      [](vissl_tensor_list* list) {
        return std::uint64_t{reinterpret_cast<TensorList*>(list)->arrays.size()};
      },
      [](vissl_tensor_list* list, std::uint64_t i) {
        return Engine::current().give(
            reinterpret_cast<TensorList*>(list)->arrays.at(static_cast<std::size_t>(i)));
      },
      [](vissl_tensor_list* list) {
        delete reinterpret_cast<TensorList*>(list);
        --detail::living_lists();
      },
      [](std::int32_t on) {
        return std::int32_t{std::exchange(Engine::current().grad_enabled, on != 0)};
      },
      [](std::int32_t on) {
        return std::int32_t{std::exchange(Engine::current().autocast_enabled, on != 0)};
      },
      [] { return reinterpret_cast<vissl_generator*>(&Engine::current().generator); },
      [](vissl_tensor* t, std::int32_t on, vissl_err* err) {
        return guarded(err, [&] { Engine::current().array(t).requires_grad = on != 0; });
      },
      [](vissl_tensor* x, vissl_tensor* weight, vissl_tensor* bias, vissl_tensor* mean,
         vissl_tensor* var, vissl_tensor* batches, std::int32_t training, double momentum,
         double eps, vissl_tensor** out, vissl_err* err) {
        return guarded(err, [&] {
          Engine& engine = Engine::current();
          const auto get = [&](vissl_tensor* t) {
            return t != nullptr ? &engine.array(t) : nullptr;
          };
          if (training != 0 && batches != nullptr) {
            engine.array(batches).assign({engine.array(batches).values().at(0) + 1});
          }
          *out = engine.give(detail::batch_norm(engine.array(x), get(weight), get(bias), get(mean),
                                                get(var), training != 0, momentum, eps));
        });
      },
      // The values alone: other handles of a fake tensor do not follow to another shape.
      [](vissl_tensor* t, vissl_tensor* source, vissl_err* err) {
        return guarded(err, [&] {
          const Array &to = Engine::current().array(t), &from = Engine::current().array(source);
          if (to.sizes != from.sizes)
            fail("the fake host's set_data keeps the shape " + to_text(to.sizes));
          to.assign(from.values());
        });
      }};
  return api;
}

#ifdef VISSL_TEST_IMPLEMENTATION
namespace detail {

const OpTable& operators() {
  static const OpTable table = [] {
    OpTable ops;
    add_pointwise_ops(ops);
    add_foreach_ops(ops);
    add_shape_ops(ops);
    add_index_ops(ops);
    add_reduce_ops(ops);
    add_linear_ops(ops);
    add_resample_ops(ops);
    add_random_ops(ops);
    return ops;
  }();
  return table;
}

Array batch_norm(const Array& x, const Array* weight, const Array* bias, Array* mean, Array* var,
                 bool training, double momentum, double eps) {
  Shape dims, per_channel(x.dim(), 1);
  for (std::size_t d = 0; d < x.dim(); ++d) {
    if (d != 1) dims.push_back(static_cast<std::int64_t>(d));
  }
  per_channel[1] = x.sizes[1];
  Values means, variances;
  if (training || mean == nullptr) {
    for (const Values& line : lines_along(x, dims, false).lines) {
      const double n = static_cast<double>(line.size()), m = sum(line) / n;
      double v = 0;
      for (const double a : line) v += (a - m) * (a - m) / n;
      means.push_back(m);
      variances.push_back(v);
    }
  }
  if (training && mean != nullptr) {
    Values running_mean = mean->values(), running_var = var->values();
    const double n = static_cast<double>(x.numel() / x.sizes[1]);
    for (std::size_t k = 0; k < means.size(); ++k) {
      running_mean[k] += momentum * (means[k] - running_mean[k]);
      running_var[k] += momentum * (variances[k] * n / (n - 1) - running_var[k]);
    }
    mean->assign(running_mean);
    var->assign(running_var);
  }
  if (means.empty()) {
    means = mean->values();
    variances = var->values();
  }
  const auto with = [&](const Array& a, const Values& v, Binary f) {
    return zip(a, Array::make(v, per_channel, VISSL_F64), x.dtype, f);
  };
  for (double& v : variances) v = std::sqrt(v + eps);
  Array out = with(with(x, means, [](double a, double b) { return a - b; }), variances,
                   [](double a, double b) { return a / b; });
  if (weight != nullptr)
    out = with(out, weight->values(), [](double a, double b) { return a * b; });
  if (bias != nullptr) out = with(out, bias->values(), [](double a, double b) { return a + b; });
  return out;
}

}  // namespace detail
#endif

// A tensor of `dtype` (float32 without one) with the values in row-major order.
inline Tensor tensor(const Values& values, const Shape& shape, vissl_dtype dtype = VISSL_F32) {
  if (count_of(shape) != static_cast<std::int64_t>(values.size())) {
    fail(std::to_string(values.size()) + " values do not fill " + to_text(shape));
  }
  return Tensor::own(Engine::current().give(Array::make(values, shape, dtype)));
}
inline Tensor tensor(const Values& values) {
  return tensor(values, {static_cast<std::int64_t>(values.size())});
}
// Class labels: int64 of shape (count).
inline Tensor labels(const std::vector<std::int64_t>& values) {
  return tensor(Values(values.begin(), values.end()), {static_cast<std::int64_t>(values.size())},
                VISSL_I64);
}
inline Values values(const Tensor& t) {
  return Engine::current().array(t.handle()).values();
}

// What a tensor is compared to: values in row-major order, or a tensor of the same shape.
struct Wanted {
  Wanted(std::initializer_list<double> list) : values(list) {}
  Wanted(Values list) : values(std::move(list)) {}
  Wanted(const Tensor& t) : values(test::values(t)), shape(t.sizes()) {}
  Values values;
  std::optional<Shape> shape;
};

// Empty when all values are within atol + rtol * |wanted|, else what differs.
inline std::string difference(const Values& met, const Wanted& wanted, double atol, double rtol) {
  if (met.size() != wanted.values.size()) {
    return std::to_string(met.size()) + " values instead of " +
           std::to_string(wanted.values.size());
  }
  for (std::size_t i = 0; i < met.size(); ++i) {
    const double x = met[i], y = wanted.values[i];
    const bool same = x == y || (std::isnan(x) && std::isnan(y));
    if (same || std::abs(x - y) <= atol + rtol * std::abs(y)) continue;
    char text[120];
    std::snprintf(text, sizeof text, "value %zu is %.17g instead of %.17g", i, x, y);
    return text;
  }
  return "";
}
inline std::string difference(const Tensor& met, const Wanted& wanted, double atol, double rtol) {
  if (wanted.shape && met.sizes() != *wanted.shape) {
    return "shape " + to_text(met.sizes()) + " instead of " + to_text(*wanted.shape);
  }
  return difference(values(met), wanted, atol, rtol);
}

}  // namespace test
}  // namespace vissl

// CHECK_CLOSE(tensor, {values…} or tensor, atol, rtol)
#define CHECK_CLOSE(...) CHECK(::vissl::test::difference(__VA_ARGS__) == "")
