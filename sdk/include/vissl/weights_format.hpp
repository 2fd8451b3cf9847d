#pragma once
// Kind weights_format: a type of file that holds weights. The component's name is the format's.
//
//   struct Toy {
//     bool recognise(const WeightsBytes& file) const { return file.starts_with("TOY1"); }
//     void open(const WeightsBytes& file, const WeightsTensors& out) const {
//       const auto rows = file.number<std::uint32_t>(4), columns = file.number<std::uint32_t>(8);
//       out.in_file("weight", VISSL_F32, {rows, columns}, 12);  // the elements begin at byte 12
//     }
//   };
//   VISSL_WEIGHTS_FORMAT(Toy, "toy", "Files of the toy system.")
//
// The host checks what `open` names, also that the elements lie inside the file. Whatever else is
// wrong with a file is fail(VISSL_E_DATA, "what (byte where)"), without its name. Optional:
//   File open(…) const          where tensors are made when they are used (out.made): an object
//     void File::read(std::uint64_t tensor, void* data, std::uint64_t bytes)
//                               that writes the elements of the tensor of that number
//   std::string sample() const  a whole small file, which check-plugin reads, cuts and damages
#include <vissl/weights_format.h>
#include <vissl/state.hpp>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

// A file's bytes. Borrowed: those that `open` gets stay until its object is gone.
class WeightsBytes {
 public:
  explicit WeightsBytes(const vissl_weights_bytes& file)
      : data_(file.data), size_(file.count), path_(view(file.path)) {}

  std::uint64_t size() const { return size_; }
  const unsigned char* data() const { return data_; }
  // For files that lie beside it; empty = it is part of another file.
  std::string_view path() const { return path_; }
  bool starts_with(std::string_view magic) const {
    return size_ >= magic.size() && std::memcmp(data_, magic.data(), magic.size()) == 0;
  }
  // `count` bytes from byte `at` on; a range that leaves the file fails with VISSL_E_DATA.
  std::string_view text(std::uint64_t at, std::uint64_t count) const {
    if (at > size_ || count > size_ - at)
      fail(VISSL_E_DATA, "ends after " + std::to_string(size_) + " bytes, before what stands at " +
                             std::to_string(at) + "; use another copy");
    return {reinterpret_cast<const char*>(data_) + at, static_cast<std::size_t>(count)};
  }
  // A number in this machine's (little-endian) byte order, aligned or not.
  template <class T>
  T number(std::uint64_t at) const {
    static_assert(std::is_arithmetic_v<T>, "a file holds numbers");
    T value;
    std::memcpy(&value, text(at, sizeof value).data(), sizeof value);
    return value;
  }

 private:
  const unsigned char* data_;
  std::uint64_t size_;
  std::string_view path_;
};

// Takes the tensors of a file, in any order.
class WeightsTensors {
 public:
  explicit WeightsTensors(const vissl_weights_tensor_sink* sink) : sink_(sink) {}

  // Row-major elements from byte `offset` of the file on.
  void in_file(std::string_view name, vissl_dtype dtype, const std::vector<std::int64_t>& shape,
               std::uint64_t offset, bool is_big_endian = false) const {
    add(name, dtype, shape, offset, is_big_endian ? std::uint64_t{VISSL_WEIGHTS_BIG_ENDIAN} : 0);
  }
  // Elements that File::read makes. Tensors of both sorts are counted together, from 0.
  void made(std::string_view name, vissl_dtype dtype,
            const std::vector<std::int64_t>& shape) const {
    add(name, dtype, shape, VISSL_WEIGHTS_NOT_IN_FILE, 0);
  }
  void metadata(std::string_view key, std::string_view value) const {
    sink_->metadata(sink_->self, str(key), str(value));
  }
  // A sentence without the file's name.
  void warning(std::string_view sentence) const { sink_->warning(sink_->self, str(sentence)); }

 private:
  void add(std::string_view name, vissl_dtype dtype, const std::vector<std::int64_t>& shape,
           std::uint64_t offset, std::uint64_t flags) const {
    constexpr std::size_t kMostDimensions = 8;
    if (shape.size() > kMostDimensions)
      fail(VISSL_E_DATA, "the tensor '" + std::string(name) + "' has " +
                             std::to_string(shape.size()) + " dimensions, more than 8");
    vissl_weights_tensor tensor = {};
    tensor.size = sizeof tensor;
    tensor.name = str(name);
    tensor.dtype = dtype;
    tensor.ndim = static_cast<std::uint32_t>(shape.size());
    for (std::size_t i = 0; i < shape.size(); ++i) tensor.shape[i] = shape[i];
    tensor.offset = offset;
    tensor.flags = flags;
    const vissl_status status = sink_->tensor(sink_->self, &tensor);
    if (status != VISSL_OK) fail(status, "the host refuses the tensor '" + std::string(name) + "'");
  }
  const vissl_weights_tensor_sink* sink_;
};

namespace detail {

template <class T>
using OpenedWeights = decltype(std::declval<T&>().open(std::declval<const WeightsBytes&>(),
                                                       std::declval<const WeightsTensors&>()));

template <class T, class = void>
struct HasSample : std::false_type {};
template <class T>
struct HasSample<T, std::void_t<decltype(std::declval<T&>().sample())>> : std::true_type {};

template <class T>
struct WeightsFormatKind {
  using Opened = OpenedWeights<T>;
  static constexpr bool kReads = !std::is_void_v<Opened>;

  static vissl_status recognise(void* instance, const vissl_weights_bytes* file,
                                std::uint32_t* is_known, vissl_err* err) noexcept {
    return guarded(err, [&] {
      *is_known = static_cast<T*>(instance)->recognise(WeightsBytes(*file)) ? 1 : 0;
    });
  }
  static vissl_status open(void* instance, const vissl_weights_bytes* file,
                           const vissl_weights_tensor_sink* sink, void** opened,
                           vissl_err* err) noexcept {
    return guarded(err, [&] {
      T& format = *static_cast<T*>(instance);
      if constexpr (kReads) {
        *opened = new Opened(format.open(WeightsBytes(*file), WeightsTensors(sink)));
      } else {
        *opened = nullptr;
        format.open(WeightsBytes(*file), WeightsTensors(sink));
      }
    });
  }
  static vissl_status read(void* opened, std::uint64_t tensor, void* data, std::uint64_t bytes,
                           vissl_err* err) noexcept {
    return guarded(err, [&] {
      if constexpr (kReads) static_cast<Opened*>(opened)->read(tensor, data, bytes);
    });
  }
  static void close(void* opened) noexcept {
    if constexpr (kReads) delete static_cast<Opened*>(opened);
  }
  static vissl_status sample(void* instance, const vissl_out* out, vissl_err* err) noexcept {
    return guarded(err, [&] {
      if constexpr (HasSample<T>::value) {
        const std::string bytes = static_cast<T*>(instance)->sample();
        Writer(out).write(bytes.data(), bytes.size());
      }
    });
  }
  static constexpr vissl_weights_format_class kTable = {sizeof(vissl_weights_format_class),
                                                        &create<T>,
                                                        &destroy<T>,
                                                        &recognise,
                                                        &open,
                                                        kReads ? &read : nullptr,
                                                        kReads ? &close : nullptr,
                                                        HasSample<T>::value ? &sample : nullptr};
};

}  // namespace detail
}  // namespace abi1
}  // namespace vissl

#define VISSL_WEIGHTS_FORMAT(Type, name, sentence)                                                 \
  VISSL_COMPONENT(Type, VISSL_WEIGHTS_FORMAT_ID, ::vissl::detail::WeightsFormatKind<Type>::kTable, \
                  "weights_format/" name "/" sentence)
