#pragma once
// The fake host's tensors: strided arrays of doubles that carry a dtype, computed eagerly, forward
// only. Integers and booleans are kept exactly; floating types are not rounded, so values are those
// of float64. Handles are counted: what leaks, is released twice or used after its release fails
// the test.
#include <vissl/array.hpp>
#include <vissl/rng.hpp>
#include <vissl/tensor.hpp>
#include <vissl/test/host.hpp>

#include <cmath>
#include <deque>
#include <memory>
#include <numeric>
#include <optional>
#include <set>

namespace vissl {
namespace test VISSL_HIDDEN {

using Shape = std::vector<std::int64_t>;
using Values = std::vector<double>;

inline std::int64_t count_of(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}
inline Shape contiguous_strides(const Shape& shape) {
  Shape strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}
inline std::string to_text(const Shape& shape) {
  std::string text = "[";
  for (const std::int64_t n : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(n);
  return text + "]";
}

inline bool is_floating(vissl_dtype d) {
  return (d >= VISSL_F16 && d <= VISSL_F64) || d == VISSL_BF16;
}
inline double truth(bool b) {
  return b ? 1.0 : 0.0;
}
inline double convert(double x, vissl_dtype dtype) {
  if (is_floating(dtype)) return x;
  return dtype == VISSL_BOOL ? truth(x != 0) : std::trunc(x);
}
// torch's promotion for the types that occur here.
inline vissl_dtype promote(vissl_dtype a, vissl_dtype b) {
  const auto rank = [](vissl_dtype d) {
    constexpr vissl_dtype order[] = {VISSL_BOOL, VISSL_U8,   VISSL_I8,  VISSL_I16, VISSL_I32,
                                     VISSL_I64,  VISSL_BF16, VISSL_F16, VISSL_F32, VISSL_F64};
    return std::find(std::begin(order), std::end(order), d) - std::begin(order);
  };
  if (a != b && rank(a) + rank(b) == 13 && std::min(rank(a), rank(b)) == 6) return VISSL_F32;
  return rank(a) > rank(b) ? a : b;
}

// A tensor. Views share their storage.
struct Array {
  std::shared_ptr<Values> storage;
  Shape sizes, strides;
  std::int64_t offset = 0;
  vissl_dtype dtype = VISSL_F32;
  bool requires_grad = false;

  static Array make(Values values, Shape shape, vissl_dtype dtype) {
    for (double& x : values) x = convert(x, dtype);
    Shape strides = contiguous_strides(shape);
    return {std::make_shared<Values>(std::move(values)), std::move(shape), std::move(strides), 0,
            dtype};
  }
  static Array scalar(double x, vissl_dtype dtype) { return make({x}, {}, dtype); }
  static Array filled(const Shape& shape, double x, vissl_dtype dtype) {
    return make(Values(static_cast<std::size_t>(count_of(shape)), x), shape, dtype);
  }
  std::size_t dim() const { return sizes.size(); }
  std::int64_t numel() const { return count_of(sizes); }
  std::int64_t size(std::size_t d) const { return sizes[d]; }
  std::size_t wrap(std::int64_t d) const {
    const std::int64_t n = std::max<std::int64_t>(static_cast<std::int64_t>(dim()), 1);
    if (d < -n || d >= n) fail("dimension " + std::to_string(d) + " of " + to_text(sizes));
    return static_cast<std::size_t>(d < 0 ? d + n : d);
  }
  bool contiguous() const {
    const Shape expected = contiguous_strides(sizes);
    for (std::size_t i = 0; i < dim(); ++i) {
      if (sizes[i] != 1 && strides[i] != expected[i]) return false;
    }
    return true;
  }
  // Calls body(place in the storage) for every element in row-major order.
  template <class Body>
  void each(Body body) const {
    Shape index(dim(), 0);
    std::int64_t at = offset;
    for (std::int64_t left = numel(); left > 0; --left) {
      body(static_cast<std::size_t>(at));
      for (std::size_t d = dim(); d-- > 0;) {
        at += strides[d];
        if (++index[d] < sizes[d]) break;
        at -= strides[d] * sizes[d];
        index[d] = 0;
      }
    }
  }
  Values values() const {
    Values out;
    out.reserve(static_cast<std::size_t>(numel()));
    each([&](std::size_t at) { out.push_back((*storage)[at]); });
    return out;
  }
  // Overwrites all elements, row-major, converted to the dtype.
  void assign(const Values& from) const {
    std::size_t i = 0;
    each([&](std::size_t at) { (*storage)[at] = convert(from[i++], dtype); });
  }
  Array view(Shape new_sizes, Shape new_strides, std::int64_t new_offset) const {
    return {storage, std::move(new_sizes), std::move(new_strides), new_offset, dtype};
  }
  // Broadcast to `shape`, without a copy.
  Array expand(const Shape& shape) const {
    if (shape.size() < dim()) fail(to_text(sizes) + " does not expand to " + to_text(shape));
    Shape out = shape, steps(shape.size(), 0);
    const std::size_t extra = shape.size() - dim();
    for (std::size_t i = 0; i < shape.size(); ++i) {
      const bool own = i >= extra;
      if (own && (shape[i] == -1 || sizes[i - extra] == shape[i])) {
        out[i] = sizes[i - extra];
        steps[i] = strides[i - extra];
      } else if (own && sizes[i - extra] != 1) {
        fail(to_text(sizes) + " does not expand to " + to_text(shape));
      }
    }
    return view(out, steps, offset);
  }
};

inline Shape broadcast(const Shape& a, const Shape& b) {
  Shape out(std::max(a.size(), b.size()), 1);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1;
    const std::int64_t y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1) fail(to_text(a) + " and " + to_text(b) + " do not broadcast");
    out[out.size() - 1 - i] = x == 1 ? y : x;
  }
  return out;
}

struct Handle {
  std::shared_ptr<Array> array;
  bool alive = true;
};

// All handles of a test, and the random generator of the "device".
class Engine {
 public:
  static Engine& current() {
    if (slot() == nullptr) fail(VISSL_E_PLUGIN, "tensors need a vissl::test::Host");
    return *slot();
  }
  Engine() { slot() = this; }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine() { slot() = nullptr; }

  // After the host has gone, the leak was reported already.
  static void release_anywhere(vissl_tensor* t) {
    if (slot() != nullptr) slot()->release(t);
  }
  vissl_tensor* give(std::shared_ptr<Array> array) {
    handles_.push_back({std::move(array), true});
    known_.insert(&handles_.back());
    return reinterpret_cast<vissl_tensor*>(&handles_.back());
  }
  vissl_tensor* give(Array array) { return give(std::make_shared<Array>(std::move(array))); }
  const std::shared_ptr<Array>& shared(vissl_tensor* t) {
    const auto* handle = reinterpret_cast<const Handle*>(t);
    if (known_.count(handle) == 0) fail("a tensor handle was used that the host never gave");
    if (!handle->alive) {
      report_failure("a tensor handle was used after its release");
      fail("a tensor handle was used after its release");
    }
    return handle->array;
  }
  Array& array(vissl_tensor* t) { return *shared(t); }
  void release(vissl_tensor* t) {
    if (t == nullptr) return;
    auto* handle = reinterpret_cast<Handle*>(t);
    if (known_.count(handle) == 0)
      return report_failure("a handle was released that the host never gave");
    if (!handle->alive) return report_failure("a tensor handle was released twice");
    handle->alive = false;
    handle->array.reset();
  }
  std::size_t alive() const {
    std::size_t count = 0;
    for (const Handle& handle : handles_) count += handle.alive ? 1 : 0;
    return count;
  }
  TorchGenerator generator{0};
  bool grad_enabled = true, autocast_enabled = false;

 private:
  static Engine*& slot() {
    static Engine* engine = nullptr;
    return engine;
  }
  std::deque<Handle> handles_;  // never shrinks: an address is never used twice
  std::set<const Handle*> known_;
};

// One call of an operator: positional arguments with defaults, results in order.
class OpCall {
 public:
  OpCall(const vissl_arg* args, std::uint64_t count) : args_(args, args + count) {}
  std::size_t size() const { return args_.size(); }
  bool has(std::size_t i) const { return i < args_.size() && args_[i].tag != VISSL_T_NONE; }
  Array& tensor(std::size_t i) const {
    if (!has(i) || args_[i].tag != VISSL_T_TENSOR)
      fail("argument " + std::to_string(i) + " must be a tensor");
    return Engine::current().array(args_[i].as.tensor);
  }
  std::shared_ptr<Array> shared(std::size_t i) const {
    return Engine::current().shared(args_[i].as.tensor);
  }
  std::vector<std::shared_ptr<Array>> tensors(std::size_t i) const {
    std::vector<std::shared_ptr<Array>> list;
    for (std::uint32_t k = 0; k < args_.at(i).count; ++k) {
      vissl_tensor* t = args_[i].as.tensors[k];
      list.push_back(t != nullptr ? Engine::current().shared(t) : nullptr);
    }
    return list;
  }
  double number(std::size_t i, double otherwise) const { return has(i) ? number(i) : otherwise; }
  double number(std::size_t i) const {
    const vissl_arg& a = args_.at(i);
    return a.tag == VISSL_T_DOUBLE ? a.as.d : static_cast<double>(a.as.i);
  }
  std::int64_t integer(std::size_t i, std::int64_t otherwise) const {
    return has(i) ? integer(i) : otherwise;
  }
  std::int64_t integer(std::size_t i) const {
    const vissl_arg& a = args_.at(i);
    return a.tag == VISSL_T_DOUBLE ? static_cast<std::int64_t>(a.as.d) : a.as.i;
  }
  bool flag(std::size_t i, bool otherwise) const { return has(i) ? args_[i].as.i != 0 : otherwise; }
  // The dtype category of a Scalar argument: i64, bool or f32.
  vissl_dtype scalar_dtype(std::size_t i) const {
    if (args_.at(i).tag == VISSL_T_DOUBLE) return VISSL_F32;
    return args_[i].tag == VISSL_T_BOOL ? VISSL_BOOL : VISSL_I64;
  }
  vissl_dtype dtype(std::size_t i, vissl_dtype otherwise) const {
    return has(i) ? static_cast<vissl_dtype>(args_[i].as.i) : otherwise;
  }
  Shape ints(std::size_t i) const {
    if (!has(i)) return {};
    if (args_[i].tag == VISSL_T_INT) return {args_[i].as.i};
    return Shape(args_[i].as.ints, args_[i].as.ints + args_[i].count);
  }
  Values numbers(std::size_t i) const {  // Scalar[]
    const vissl_arg& a = args_.at(i);
    if (a.tag == VISSL_T_INT_LIST) return Values(a.as.ints, a.as.ints + a.count);
    return Values(a.as.doubles, a.as.doubles + a.count);
  }
  std::string text(std::size_t i, const char* otherwise) const {
    return has(i) ? std::string(args_[i].as.s, args_[i].count) : otherwise;
  }

  void give(Array array) { give(std::make_shared<Array>(std::move(array))); }
  void give(std::shared_ptr<Array> array) { results_.push_back(std::move(array)); }
  void give_list(std::vector<Array> list) {
    for (Array& array : list) give(std::move(array));
    is_list_ = true;
  }
  void give_bool(bool value) { flag_ = value; }
  const std::vector<std::shared_ptr<Array>>& results() const { return results_; }
  const std::optional<bool>& flag_result() const { return flag_; }
  bool is_list() const { return is_list_; }

 private:
  std::vector<vissl_arg> args_;
  std::vector<std::shared_ptr<Array>> results_;
  std::optional<bool> flag_;
  bool is_list_ = false;
};

using OpTable = std::map<std::string, std::function<void(OpCall&)>>;

namespace detail {

inline Array uniform(const Shape& shape, double low, double high, vissl_dtype dtype) {
  Values values(static_cast<std::size_t>(count_of(shape)));
  for (double& x : values) {
    x = Engine::current().generator.uniform(static_cast<float>(low), static_cast<float>(high));
  }
  return Array::make(std::move(values), shape, dtype);
}
inline Array normal(const Shape& shape, double mean, double std, vissl_dtype dtype) {
  std::vector<float> values(static_cast<std::size_t>(count_of(shape)));
  Engine::current().generator.normal_fill(static_cast<float>(mean), static_cast<float>(std),
                                          values.size(), values.data());
  return Array::make(Values(values.begin(), values.end()), shape, dtype);
}

// ||x||_p; p = 0 counts what is not 0.
inline double norm(const Values& x, double p) {
  double total = 0;
  for (const double v : x) {
    const double a = std::abs(v);
    if (p == 0)
      total += truth(a != 0);
    else if (std::isinf(p))
      total = std::max(total, a);
    else
      total += std::pow(a, p);
  }
  return p == 0 || std::isinf(p) ? total : std::pow(total, 1 / p);
}

}  // namespace detail

// Reseeds the generator of the fake device: torch.manual_seed.
inline void manual_seed(std::uint64_t seed) {
  Engine::current().generator = TorchGenerator(seed);
}

}  // namespace test
}  // namespace vissl
