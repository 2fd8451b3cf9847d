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
// An unknown name is fail(VISSL_E_DATA, …) with the names that there are. [main]
#include <vissl/weights_scheme.h>
#include <vissl/state.hpp>

#include <string>
#include <string_view>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

// What follows "scheme://".
inline std::string_view locator_path(std::string_view locator) {
  const std::size_t at = locator.find("://");
  return at == std::string_view::npos ? locator : locator.substr(at + 3);
}

namespace detail {

template <class T>
struct WeightsSchemeKind {
  static vissl_status resolve(void* instance, vissl_str locator, const vissl_out* out,
                              vissl_err* err) noexcept {
    return guarded(err, [&] {
      const std::string place = static_cast<T*>(instance)->resolve(view(locator));
      Writer(out).write(place.data(), place.size());
    });
  }
  static constexpr vissl_weights_scheme_class kTable = {sizeof(vissl_weights_scheme_class),
                                                        &create<T>, &destroy<T>, &resolve};
};

}  // namespace detail
}  // namespace abi1
}  // namespace vissl

#define VISSL_WEIGHTS_SCHEME(Type, name, sentence)                                                 \
  VISSL_COMPONENT(Type, VISSL_WEIGHTS_SCHEME_ID, ::vissl::detail::WeightsSchemeKind<Type>::kTable, \
                  "weights_scheme/" name "/" sentence)
