#pragma once
// State of a component that is not in tensors of the store ("vissl.state/1"):
//
//   void save(Writer& out) const { out.put(count_); out.put(names_); }
//   void load(Reader& in, std::uint64_t version) { count_ = in.get<std::int64_t>(); names_ =
//   in.get<…>(); } static constexpr std::uint64_t state_version = 2;   // optional, 1 without it;
//   older versions must load
//
// Saving twice gives equal bytes. Numbers are little-endian; strings and lists carry their length.
// A stream that ends early, or has bytes left after `load`, is refused. [main]
#include <vissl/state.h>
#include <vissl/extensions.hpp>

#include <algorithm>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "state streams are little-endian");

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

class Writer {
 public:
  explicit Writer(const vissl_out* out) : out_(out) {}
  void write(const void* data, std::uint64_t bytes) {
    const char* at = static_cast<const char*>(data);
    while (bytes > 0) {
      const std::uint64_t taken = out_->write(out_->self, at, bytes);
      if (taken == 0 || taken > bytes) fail("the state could not be written");
      at += taken;
      bytes -= taken;
    }
  }
  template <class T, class = std::enable_if_t<std::is_arithmetic_v<T>>>
  void put(T value) {
    write(&value, sizeof value);
  }
  void put(std::string_view text) {
    put(std::uint64_t{text.size()});
    write(text.data(), text.size());
  }
  template <class T>
  void put(const std::vector<T>& values) {
    put(std::uint64_t{values.size()});
    for (const T& value : values) put(value);
  }

 private:
  const vissl_out* out_;
};

class Reader {
 public:
  explicit Reader(const vissl_in* in) : in_(in) {}
  void read(void* data, std::uint64_t bytes) {
    char* at = static_cast<char*>(data);
    while (bytes > 0) {
      const std::uint64_t given = in_->read(in_->self, at, bytes);
      if (given == 0 || given > bytes) fail("the saved state ends too early");
      at += given;
      bytes -= given;
    }
  }
  // get<double>(), get<std::string>(), get<std::vector<std::int64_t>>().
  template <class T>
  T get() {
    T value{};
    get(value);
    return value;
  }
  template <class T, class = std::enable_if_t<std::is_arithmetic_v<T>>>
  void get(T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      const auto byte = get<unsigned char>();
      if (byte > 1) fail("the saved state is damaged: a flag is neither 0 nor 1");
      value = byte == 1;
    } else {
      read(&value, sizeof value);
    }
  }
  void get(std::string& text) {
    text.clear();
    // In pieces: a damaged length ends with the stream instead of asking for all memory at once.
    for (std::uint64_t left = get<std::uint64_t>(); left > 0;) {
      const std::size_t piece = static_cast<std::size_t>(std::min<std::uint64_t>(left, 1 << 16));
      const std::size_t have = text.size();
      text.resize(have + piece);
      read(&text[have], piece);
      left -= piece;
    }
  }
  template <class T>
  void get(std::vector<T>& values) {
    values.clear();
    for (std::uint64_t left = get<std::uint64_t>(); left > 0; --left) values.push_back(get<T>());
  }
  void expect_end() {
    char byte;
    if (in_->read(in_->self, &byte, 1) != 0) fail("the saved state has more bytes than expected");
  }

 private:
  const vissl_in* in_;
};

namespace detail {

template <class T, class = void>
struct StateVersion : std::integral_constant<std::uint64_t, 1> {};
template <class T>
struct StateVersion<T, std::void_t<decltype(T::state_version)>>
    : std::integral_constant<std::uint64_t, std::uint64_t{T::state_version}> {};

template <class T>
struct StateExtension {
  static constexpr std::string_view kId = VISSL_STATE_ID;
  static vissl_status save(void* instance, const vissl_out* out, vissl_err* err) noexcept {
    return guarded(err, [&] {
      Writer writer(out);
      static_cast<T*>(instance)->save(writer);
    });
  }
  static vissl_status load(void* instance, const vissl_in* in, std::uint64_t version,
                           vissl_err* err) noexcept {
    return guarded(err, [&] {
      if (version == 0 || version > StateVersion<T>::value) {
        fail("the state was saved by a newer plugin (format " + std::to_string(version) +
             "); this one reads up to " + std::to_string(StateVersion<T>::value));
      }
      Reader reader(in);
      static_cast<T*>(instance)->load(reader, version);
      reader.expect_end();
    });
  }
  static constexpr vissl_state_class kTable = {sizeof(vissl_state_class), StateVersion<T>::value,
                                               &save, &load};
};

}  // namespace detail
}  // namespace abi1
}  // namespace vissl
