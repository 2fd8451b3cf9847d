#pragma once
// Tensors of the C++ layer: a handle with value semantics, and ATen's functions and methods under
// ATen's names.
//
//   Tensor z = normalize(embeddings, 1);              // (2B, D)
//   Tensor logits = matmul(z, z.t()) / temperature;   // (2B, 2B)
//   return cross_entropy(logits, labels);
//
// Copying a Tensor makes a second handle of the same tensor. Everything runs in the host's
// dispatcher: autograd, autocast and devices are libtorch's. A failed operator throws Failure with
// libtorch's text. [main], and [engine] in a custom backward.
#include <vissl/tensor.h>
#include <vissl/service.hpp>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

enum class Dtype : vissl_dtype {
  u8 = VISSL_U8,
  i8 = VISSL_I8,
  i16 = VISSL_I16,
  i32 = VISSL_I32,
  i64 = VISSL_I64,
  f16 = VISSL_F16,
  f32 = VISSL_F32,
  f64 = VISSL_F64,
  c64 = VISSL_C64,
  c128 = VISSL_C128,
  boolean = VISSL_BOOL,
  bf16 = VISSL_BF16,
};
enum class MemoryFormat : std::int64_t { contiguous = 0, preserve = 1, channels_last = 2 };
enum Reduction : std::int64_t { reduction_none = 0, reduction_mean = 1, reduction_sum = 2 };

struct Device {
  std::int64_t code = VISSL_DEVICE(VISSL_DEVICE_CPU, 0);
  bool is_cpu() const noexcept { return code >> 32 == VISSL_DEVICE_CPU; }
};

// The generator of the current context; the default of every random operator.
struct Generator {
  vissl_generator* handle = nullptr;
};

// A number that keeps whether it was written as an integer: torch's promotion rules see the
// difference.
class Scalar {
 public:
  template <class T, std::enable_if_t<std::is_arithmetic_v<T>, int> = 0>
  Scalar(T value) noexcept {
    if constexpr (std::is_same_v<T, bool>) {
      arg_.tag = VISSL_T_BOOL;
      arg_.as.i = value;
    } else if constexpr (std::is_integral_v<T>) {
      arg_.tag = VISSL_T_INT;
      arg_.as.i = static_cast<std::int64_t>(value);
    } else {
      arg_.tag = VISSL_T_DOUBLE;
      arg_.as.d = static_cast<double>(value);
    }
  }
  const vissl_arg& arg() const noexcept { return arg_; }

 private:
  vissl_arg arg_{};
};

// Views of number lists for one call, never kept: `{2, 3}`, a vector, a single number, or nullopt
// where ATen takes none.
class Ints {
 public:
  Ints(std::nullopt_t) noexcept : none_(true) {}
  Ints(std::initializer_list<std::int64_t> list) noexcept : size_(list.size()) {
    data_ = list.begin();
  }
  Ints(const std::vector<std::int64_t>& list) noexcept : data_(list.data()), size_(list.size()) {}
  Ints(const std::int64_t* data, std::size_t size) noexcept : data_(data), size_(size) {}
  template <class I, std::enable_if_t<std::is_integral_v<I>, int> = 0>
  Ints(I one) noexcept : one_(static_cast<std::int64_t>(one)), size_(1) {}
  const std::int64_t* data() const noexcept {
    return data_ != nullptr || size_ == 0 ? data_ : &one_;
  }
  std::size_t size() const noexcept { return size_; }
  bool none() const noexcept { return none_; }

 private:
  const std::int64_t* data_ = nullptr;
  std::int64_t one_ = 0;
  std::size_t size_ = 0;
  bool none_ = false;
};

class Doubles {
 public:
  Doubles(std::nullopt_t) noexcept : none_(true) {}
  Doubles(std::initializer_list<double> list) noexcept : size_(list.size()) {
    data_ = list.begin();
  }
  Doubles(const std::vector<double>& list) noexcept : data_(list.data()), size_(list.size()) {}
  const double* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  bool none() const noexcept { return none_; }

 private:
  const double* data_ = nullptr;
  std::size_t size_ = 0;
  bool none_ = false;
};

// Where and as what a new tensor is made; the default is float32 on the CPU, or what ATen takes for
// `…_like`.
struct Options {
  Options() = default;
  Options(Dtype type) : dtype(type) {}
  Options(Device where) : device(where) {}
  Options(Dtype type, Device where) : dtype(type), device(where) {}
  std::optional<Dtype> dtype;
  std::optional<Device> device;
};

inline const vissl_tensor_api& tensor_api() {
  return service<vissl_tensor_api>(VISSL_TENSOR_ID);
}

class Tensors;

class Tensor {
 public:
  Tensor() noexcept : handle_(nullptr) {}
  explicit Tensor(vissl_tensor* owned) noexcept : handle_(owned) {}
  Tensor(const Tensor& other)
      : handle_(other.defined() ? tensor_api().retain(other.handle_) : nullptr) {}
  Tensor(Tensor&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Tensor& operator=(Tensor other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Tensor() {
    if (handle_ != nullptr) tensor_api().release(handle_);
  }

  static Tensor own(vissl_tensor* handle) noexcept { return Tensor(handle); }
  static Tensor borrow(vissl_tensor* handle) {
    return Tensor(handle != nullptr ? tensor_api().retain(handle) : nullptr);
  }
  // A new CPU tensor with a copy of `values` in row-major order; T is float, double, std::int64_t,
  // std::int32_t or std::uint8_t.
  template <class T>
  static Tensor of(const std::vector<T>& values, Ints shape);

  vissl_tensor* handle() const noexcept { return handle_; }
  [[nodiscard]] vissl_tensor* release() noexcept { return std::exchange(handle_, nullptr); }
  bool defined() const noexcept { return handle_ != nullptr; }
  explicit operator bool() const noexcept { return defined(); }

  vissl_tensor_info info() const {
    vissl_tensor_info out{};
    out.size = sizeof out;
    call(tensor_api().info, handle_, &out);
    return out;
  }
  std::vector<std::int64_t> sizes() const {
    const vissl_tensor_info i = info();
    return {i.sizes, i.sizes + i.ndim};
  }
  std::int64_t size(std::int64_t dim) const {
    const vissl_tensor_info i = info();
    const std::int64_t n = i.ndim;
    const std::int64_t d = dim < 0 ? dim + n : dim;
    if (d < 0 || d >= n) {
      fail("dimension " + std::to_string(dim) + " of a tensor with " + std::to_string(n) +
           " dimensions");
    }
    return i.sizes[d];
  }
  std::int64_t dim() const { return info().ndim; }
  std::int64_t numel() const { return info().numel; }
  Dtype dtype() const { return static_cast<Dtype>(info().dtype); }
  Device device() const { return Device{info().device}; }
  bool requires_grad() const { return info().requires_grad != 0; }
  // torch's `data = source`: takes its memory, shape and type; all handles of this tensor see it.
  const Tensor& set_data(const Tensor& source) const {
    call(tensor_api().set_data, handle_, source.handle());
    return *this;
  }
  const Tensor& set_requires_grad(bool on) const {
    call(tensor_api().set_requires_grad, handle_, std::int32_t{on});
    return *this;
  }

  // All elements in row-major order, converted to T. Waits for the device.
  template <class T>
  std::vector<T> to_vector() const;
  // The only element, converted to T. Waits for the device.
  template <class T>
  T item() const;

#include <vissl/generated/tensor_methods.inc>

 private:
  vissl_tensor* handle_;
};
static_assert(sizeof(Tensor) == sizeof(vissl_tensor*),
              "a list of tensors is passed as a list of handles");

// A view of tensors for one call.
class Tensors {
 public:
  Tensors(std::initializer_list<Tensor> list) noexcept : size_(list.size()) {
    data_ = list.begin();
  }
  Tensors(const std::vector<Tensor>& list) noexcept : data_(list.data()), size_(list.size()) {}
  vissl_tensor* const* handles() const noexcept {
    return reinterpret_cast<vissl_tensor* const*>(data_);
  }
  std::size_t size() const noexcept { return size_; }

 private:
  const Tensor* data_ = nullptr;
  std::size_t size_;
};

namespace detail {

inline vissl_arg tagged(std::uint32_t tag, std::size_t count = 0) noexcept {
  vissl_arg a{};
  a.tag = tag;
  a.count = static_cast<std::uint32_t>(count);
  return a;
}
inline vissl_arg none() noexcept {
  return tagged(VISSL_T_NONE);
}
inline vissl_arg arg_int(std::uint32_t tag, std::int64_t value) noexcept {
  vissl_arg a = tagged(tag);
  a.as.i = value;
  return a;
}
inline vissl_arg arg(const Tensor& t) noexcept {
  if (!t.defined()) return none();
  vissl_arg a = tagged(VISSL_T_TENSOR);
  a.as.tensor = t.handle();
  return a;
}
inline vissl_arg arg(Tensors list) noexcept {
  vissl_arg a = tagged(VISSL_T_TENSOR_LIST, list.size());
  a.as.tensors = list.handles();
  return a;
}
inline vissl_arg arg(std::int64_t v) noexcept {
  return arg_int(VISSL_T_INT, v);
}
inline vissl_arg arg(bool v) noexcept {
  return arg_int(VISSL_T_BOOL, v);
}
inline vissl_arg arg(double v) noexcept {
  vissl_arg a = tagged(VISSL_T_DOUBLE);
  a.as.d = v;
  return a;
}
inline vissl_arg arg(Scalar v) noexcept {
  return v.arg();
}
inline vissl_arg arg(Dtype v) noexcept {
  return arg_int(VISSL_T_DTYPE, static_cast<std::int64_t>(v));
}
inline vissl_arg arg(Device v) noexcept {
  return arg_int(VISSL_T_DEVICE, v.code);
}
inline vissl_arg arg(MemoryFormat v) noexcept {
  return arg_int(VISSL_T_MEMORY_FORMAT, static_cast<std::int64_t>(v));
}
inline vissl_arg arg(std::string_view v) noexcept {
  vissl_arg a = tagged(VISSL_T_STRING, v.size());
  a.as.s = v.data();
  return a;
}
inline vissl_arg arg(Generator v) {
  vissl_arg a = tagged(VISSL_T_GENERATOR);
  a.as.generator = v.handle != nullptr ? v.handle : tensor_api().generator();
  return a;
}
inline vissl_arg arg(const Ints& v) noexcept {
  if (v.none()) return none();
  vissl_arg a = tagged(VISSL_T_INT_LIST, v.size());
  a.as.ints = v.data();
  return a;
}
inline vissl_arg arg(const Doubles& v) noexcept {
  if (v.none()) return none();
  vissl_arg a = tagged(VISSL_T_DOUBLE_LIST, v.size());
  a.as.doubles = v.data();
  return a;
}
template <class T>
vissl_arg arg(const std::optional<T>& v) {
  return v ? arg(*v) : none();
}

template <class T>
constexpr Dtype dtype_of() {
  if constexpr (std::is_same_v<T, float>) return Dtype::f32;
  if constexpr (std::is_same_v<T, double>) return Dtype::f64;
  if constexpr (std::is_same_v<T, std::int64_t>) return Dtype::i64;
  if constexpr (std::is_same_v<T, std::int32_t>) return Dtype::i32;
  if constexpr (std::is_same_v<T, std::uint8_t>) return Dtype::u8;
}

}  // namespace detail

// An operator by its ATen name, resolved once. Any operator of libtorch works; those of
// sdk/operators.txt are guaranteed for the life of the ABI major, others are best made in a
// component's constructor, so that a missing one fails before training.
class Op {
 public:
  using Args = std::initializer_list<vissl_arg>;

  explicit Op(std::string_view name, std::string_view overload = {}) {
    call(tensor_api().op_find, str(name), str(overload), vissl_str{}, &op_);
  }
  void run(Args args) const { Results(*this, args); }
  Tensor tensor(Args args) const { return Results(*this, args).take(0); }
  bool boolean(Args args) const { return Results(*this, args).at(0).as.i != 0; }
  std::int64_t integer(Args args) const { return Results(*this, args).at(0).as.i; }
  std::vector<Tensor> tensors(Args args) const {
    const Results results(*this, args);
    vissl_tensor_list* list = results.at(0).as.list;
    std::vector<Tensor> out(static_cast<std::size_t>(tensor_api().list_size(list)));
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = Tensor::own(tensor_api().list_get(list, i));
    return out;
  }
  template <std::size_t N>
  auto tuple(Args args) const {
    Results results(*this, args);
    return take(results, std::make_index_sequence<N>());
  }

 private:
  // Owns what a call returned until it is taken.
  class Results {
   public:
    Results(const Op& op, Args args) {
      ErrorSink sink;
      check(tensor_api().op_call(op.op_, args.begin(), args.size(), values_, kCapacity, &count_,
                                 sink.get()),
            sink);
    }
    Results(const Results&) = delete;
    Results& operator=(const Results&) = delete;
    ~Results() {
      for (std::uint64_t i = 0; i < count_ && i < kCapacity; ++i) {
        if (values_[i].tag == VISSL_T_TENSOR) tensor_api().release(values_[i].as.tensor);
        if (values_[i].tag == VISSL_T_LIST_HANDLE) tensor_api().list_release(values_[i].as.list);
      }
    }
    const vissl_arg& at(std::size_t i) const {
      if (i >= count_) fail("the operator returned fewer values than the plugin expects");
      return values_[i];
    }
    Tensor take(std::size_t i) {
      if (at(i).tag != VISSL_T_TENSOR) return Tensor();
      values_[i].tag = VISSL_T_NONE;
      return Tensor::own(values_[i].as.tensor);
    }

   private:
    static constexpr std::size_t kCapacity = 8;
    vissl_arg values_[kCapacity] = {};
    std::uint64_t count_ = 0;
  };
  template <std::size_t... I>
  static auto take(Results& results, std::index_sequence<I...>) {
    return std::make_tuple(results.take(I)...);
  }
  const vissl_op* op_ = nullptr;
};

template <class T>
Tensor Tensor::of(const std::vector<T>& values, Ints shape) {
  vissl_array array{};
  array.size = sizeof array;
  array.dtype = static_cast<vissl_dtype>(detail::dtype_of<T>());
  array.ndim = static_cast<std::uint32_t>(shape.size());
  std::int64_t count = 1;
  if (shape.size() > 8) fail("a tensor from memory has at most 8 dimensions");
  for (std::size_t i = 0; i < shape.size(); ++i) count *= array.shape[i] = shape.data()[i];
  if (count != static_cast<std::int64_t>(values.size())) {
    fail(std::to_string(values.size()) + " values do not fill a tensor of " +
         std::to_string(count));
  }
  array.data = values.data();
  vissl_tensor* out = nullptr;
  call(tensor_api().from_array, &array, &out);
  return Tensor(out);
}

template <class T>
std::vector<T> Tensor::to_vector() const {
  std::vector<T> out(static_cast<std::size_t>(numel()));
  call(tensor_api().to_memory, handle_, static_cast<vissl_dtype>(detail::dtype_of<T>()),
       static_cast<void*>(out.data()), std::uint64_t{out.size() * sizeof(T)});
  return out;
}

template <class T>
T Tensor::item() const {
  const std::vector<T> values = to_vector<T>();
  if (values.size() != 1)
    fail("item() of a tensor with " + std::to_string(values.size()) + " elements");
  return values[0];
}

#include <vissl/generated/operators.inc>

inline Tensor operator+(const Tensor& a, const Tensor& b) {
  return a.add(b);
}
inline Tensor operator+(const Tensor& a, Scalar b) {
  return a.add(b);
}
inline Tensor operator+(Scalar a, const Tensor& b) {
  return b.add(a);
}
inline Tensor operator-(const Tensor& a, const Tensor& b) {
  return a.sub(b);
}
inline Tensor operator-(const Tensor& a, Scalar b) {
  return a.sub(b);
}
inline Tensor operator-(Scalar a, const Tensor& b) {
  return b.rsub(a);
}
inline Tensor operator-(const Tensor& a) {
  return a.neg();
}
inline Tensor operator*(const Tensor& a, const Tensor& b) {
  return a.mul(b);
}
inline Tensor operator*(const Tensor& a, Scalar b) {
  return a.mul(b);
}
inline Tensor operator*(Scalar a, const Tensor& b) {
  return b.mul(a);
}
inline Tensor operator/(const Tensor& a, const Tensor& b) {
  return a.div(b);
}
inline Tensor operator/(const Tensor& a, Scalar b) {
  return a.div(b);
}

// torch.nn.functional.normalize: x / max(||x||_p, eps) along `dim`.
inline Tensor normalize(const Tensor& x, std::int64_t dim = 1, double p = 2.0, double eps = 1e-12) {
  return x / linalg_vector_norm(x, p, dim, true).clamp_min(eps).expand_as(x);
}
// torch.nn.functional.cross_entropy; logits (N, C, …), target (N, …) i64 or (N, C, …)
// probabilities.
inline Tensor cross_entropy(const Tensor& logits, const Tensor& target,
                            const Tensor& weight = Tensor(), std::int64_t ignore_index = -100,
                            Reduction reduction = reduction_mean, double label_smoothing = 0.0) {
  return cross_entropy_loss(logits, target, weight, reduction, ignore_index, label_smoothing);
}

// Switches gradient recording off for a scope of this thread.
class NoGrad {
 public:
  NoGrad() : previous_(tensor_api().set_grad_enabled(0)) {}
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;
  ~NoGrad() { tensor_api().set_grad_enabled(previous_); }

 private:
  std::int32_t previous_;
};
// Switches autocast off for a scope: losses that need float32.
class NoAutocast {
 public:
  NoAutocast() : previous_(tensor_api().set_autocast_enabled(0)) {}
  NoAutocast(const NoAutocast&) = delete;
  NoAutocast& operator=(const NoAutocast&) = delete;
  ~NoAutocast() { tensor_api().set_autocast_enabled(previous_); }

 private:
  std::int32_t previous_;
};

}  // namespace abi1
}  // namespace vissl
