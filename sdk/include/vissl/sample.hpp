#pragma once
// What runs through the transforms: an ordered map from key to a list of images or arrays. "data",
// "label", "data_valid" and "data_idx" have one entry per source, later one per view. A reference
// to the host's sample. [worker]
#include <vissl/sample.h>
#include <vissl/array.hpp>
#include <vissl/image.hpp>
#include <vissl/rng.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

namespace detail {
struct RngState {
  vissl_rng state;
};
}  // namespace detail

// A Rng that owns its stream.
class RngStream : private detail::RngState, public Rng {
 public:
  explicit RngStream(const vissl_rng& stream) : detail::RngState{stream}, Rng(state) {}
  RngStream(const RngStream& other) : RngStream(other.state) {}
  RngStream& operator=(const RngStream& other) { return state = other.state, *this; }
  vissl_rng& stream() noexcept { return state; }  // for a transform inside: InnerTransform::apply
};

class Sample {
 public:
  explicit Sample(vissl_sample* handle) : handle_(handle) {}
  vissl_sample* handle() const noexcept { return handle_; }

  std::vector<std::string> keys() const {
    std::vector<std::string> names;
    const std::uint64_t count = api().key_count(handle_);
    for (std::uint64_t i = 0; i < count; ++i) names.emplace_back(view(api().key_at(handle_, i)));
    return names;
  }
  // Entries of a key; 0 when it is absent.
  std::uint64_t count(std::string_view key) const { return api().entry_count(handle_, str(key)); }
  bool has_image(std::string_view key, std::uint64_t i) const {
    return api().image(handle_, str(key), i) != nullptr;
  }

  Image image(std::string_view key, std::uint64_t i) const {
    vissl_image* image = api().image(handle_, str(key), i);
    if (image == nullptr)
      fail("entry " + std::to_string(i) + " of '" + std::string(key) + "' is no image");
    return Image(image);
  }
  Image add_image(std::string_view key) {
    vissl_image* image = nullptr;
    call(api().add_image, handle_, str(key), &image);
    return Image(image);
  }

  // Borrowed until the entry is replaced.
  vissl_array array(std::string_view key, std::uint64_t i) const {
    vissl_array out = {};
    out.size = sizeof out;
    call(api().array, handle_, str(key), i, &out);
    return out;
  }
  std::int64_t integer(std::string_view key, std::uint64_t i) const {
    return to_scalar<std::int64_t>(array(key, i));
  }
  std::vector<std::int64_t> integers(std::string_view key, std::uint64_t i) const {
    return to_vector<std::int64_t>(array(key, i));
  }

  // Replaces entry i, or appends when i equals the count; copied.
  void set(std::string_view key, std::uint64_t i, const vissl_array& array) {
    call(api().set_array, handle_, str(key), i, &array);
  }
  template <class T, class = std::enable_if_t<std::is_arithmetic_v<T>>>
  void set(std::string_view key, std::uint64_t i, T value) {
    set(key, i, scalar_view(value));
  }
  template <class T>
  void set(std::string_view key, std::uint64_t i, const std::vector<T>& values) {
    set(key, i, array_view(values));
  }
  // Entry i of every list is repeated times[i] times, in place; pixels stay shared.
  void repeat(const std::vector<std::uint64_t>& times) {
    call(api().repeat, handle_, times.data(), std::uint64_t{times.size()});
  }
  void remove(std::string_view key) { call(api().remove, handle_, str(key)); }

  // The random stream of a view for the transform that runs: equal for any number of workers.
  RngStream rng(std::uint64_t view) const {
    vissl_rng stream;
    api().rng(handle_, view, &stream);
    return RngStream(stream);
  }
  std::int64_t index() const { return api().index(handle_); }  // position in the dataset

 private:
  static const vissl_sample_api& api() { return service<vissl_sample_api>(VISSL_SAMPLE_ID); }
  vissl_sample* handle_;
};

}  // namespace abi1
}  // namespace vissl
