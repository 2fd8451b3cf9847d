#pragma once
// Kind weights_scheme: where weights are. The component's name is the scheme.
//
//   struct Zoo {
//     explicit Zoo(const Config& c);
//     // "zoo://resnet50" -> "/data/zoo/resnet50.torch", or a locator of another scheme
//     std::string resolve(std::string_view locator) const;
//   };
//   VISSL_WEIGHTS_SCHEME(Zoo, "zoo", "Weights of the zoo's index.")
//
// An unknown name is fail(VISSL_E_DATA, …) with the names that there are. A scheme may take the
// whole request instead, resolve(const WeightsRequest&): to log, to show progress, and to compare
// the content with the pin itself, which `static constexpr bool checks_content = true;` promises.
// One that knows its names tells them: void names(const WeightsNames& names) const. [main]
#include <vissl/weights_scheme.h>
#include <vissl/state.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

// What follows the scheme: "zoo://a/b" and "zoo:a/b" give "a/b".
inline std::string_view locator_path(std::string_view locator) {
  const std::size_t mark = locator.find("://");
  if (mark != std::string_view::npos) return locator.substr(mark + 3);
  const std::size_t colon = locator.find(':');
  return colon == std::string_view::npos ? locator : locator.substr(colon + 1);
}

// Borrowed for the call.
class WeightsRequest {
 public:
  explicit WeightsRequest(const vissl_weights_request& request) : request_(request) {}

  std::string_view locator() const { return view(request_.locator); }
  // 64 hexadecimal digits that the file's content must have; empty = any.
  std::string_view sha256() const { return view(request_.sha256); }
  void info(std::string_view text) const { log(1, text); }
  void warn(std::string_view text) const { log(2, text); }
  void progress(std::uint64_t done_bytes, std::uint64_t total_bytes) const {
    if (request_.progress != nullptr) request_.progress(request_.self, done_bytes, total_bytes);
  }

 private:
  void log(std::uint32_t level, std::string_view text) const {
    if (request_.log != nullptr) request_.log(request_.self, level, str(text));
  }
  const vissl_weights_request& request_;
};

// Takes the names of a scheme; borrowed for the call.
class WeightsNames {
 public:
  using Found = void (*)(void* self, vissl_str name, vissl_str place);
  WeightsNames(void* self, Found found) : self_(self), found_(found) {}

  // `place`: what resolve gives for "SCHEME://name".
  void add(std::string_view name, std::string_view place) const {
    found_(self_, str(name), str(place));
  }

 private:
  void* self_;
  Found found_;
};

namespace detail {

template <class T, class = void>
struct TakesRequest : std::false_type {};
template <class T>
struct TakesRequest<
    T, std::void_t<decltype(std::declval<T&>().resolve(std::declval<const WeightsRequest&>()))>>
    : std::true_type {};

template <class T, class = void>
struct ChecksContent : std::false_type {};
template <class T>
struct ChecksContent<T, std::enable_if_t<T::checks_content>> : std::true_type {};

template <class T, class = void>
struct KnowsNames : std::false_type {};
template <class T>
struct KnowsNames<
    T, std::void_t<decltype(std::declval<const T&>().names(std::declval<const WeightsNames&>()))>>
    : std::true_type {};

template <class T>
struct WeightsSchemeKind {
  static vissl_status resolve(void* instance, const vissl_weights_request* request,
                              const vissl_out* out, vissl_err* err) noexcept {
    return guarded(err, [&] {
      std::string place;
      if constexpr (TakesRequest<T>::value) {
        place = static_cast<T*>(instance)->resolve(WeightsRequest(*request));
      } else {
        place = static_cast<T*>(instance)->resolve(view(request->locator));
      }
      Writer(out).write(place.data(), place.size());
    });
  }
  static vissl_status names(void* instance, void* self, WeightsNames::Found found,
                            vissl_err* err) noexcept {
    return guarded(err, [&] {
      if constexpr (KnowsNames<T>::value)
        static_cast<const T*>(instance)->names(WeightsNames(self, found));
    });
  }
  static constexpr vissl_weights_scheme_class kTable = {
      sizeof(vissl_weights_scheme_class),
      &create<T>,
      &destroy<T>,
      &resolve,
      ChecksContent<T>::value ? std::uint64_t{VISSL_WEIGHTS_CHECKED} : 0,
      KnowsNames<T>::value ? &names : nullptr};
};

}  // namespace detail
}  // namespace abi1
}  // namespace vissl

#define VISSL_WEIGHTS_SCHEME(Type, name, sentence)                                                 \
  VISSL_COMPONENT(Type, VISSL_WEIGHTS_SCHEME_ID, ::vissl::detail::WeightsSchemeKind<Type>::kTable, \
                  "weights_scheme/" name "/" sentence)
