#pragma once
// Kind transform: a sample in, a sample out; one instance per worker, no state between calls.
//
//   struct RandomHorizontalFlip {
//     double p;
//     static void params(Params& x) { x.number("p", 0.5, between(0.0, 1.0), "Probability of a
//     flip."); } explicit RandomHorizontalFlip(const Config& c) : p(c.number("p")) {} void
//     apply(Image& image, Rng& rng) { if (rng.bernoulli(p)) image.flip_horizontal(); }
//   };
//   VISSL_TRANSFORM(RandomHorizontalFlip, "RandomHorizontalFlip", "Mirrors the image with
//   probability p.")
//
// `apply(Image&, Rng&)` or `apply(Image&)` is called for every selected image of "data";
// `apply(Sample&)` sees all.
#include <vissl/transform.h>
#include <vissl/extensions.hpp>
#include <vissl/sample.hpp>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {
namespace detail {

template <class T, class Signature, class = void>
struct HasApply : std::false_type {};
template <class T, class... Args>
struct HasApply<T, void(Args...),
                std::void_t<decltype(std::declval<T&>().apply(std::declval<Args>()...))>>
    : std::true_type {};

template <class T>
struct TransformKind {
  static constexpr bool kDraws = HasApply<T, void(Image&, Rng&)>::value;
  static constexpr bool kImage = kDraws || HasApply<T, void(Image&)>::value;
  static constexpr bool kSample = HasApply<T, void(Sample&)>::value;
  static_assert(kImage != kSample,
                "a transform needs one of apply(Image&, Rng&), apply(Image&) and apply(Sample&)");

  static vissl_status apply_image(void* instance, vissl_image* handle, vissl_rng* stream,
                                  vissl_err* err) noexcept {
    return guarded(err, [&] {
      Image image(handle);
      if constexpr (kDraws) {
        Rng rng(*stream);
        static_cast<T*>(instance)->apply(image, rng);
      } else if constexpr (kImage) {
        static_cast<T*>(instance)->apply(image);
      }
    });
  }
  static vissl_status apply_sample(void* instance, vissl_sample* handle, vissl_err* err) noexcept {
    return guarded(err, [&] {
      Sample sample(handle);
      if constexpr (kSample) static_cast<T*>(instance)->apply(sample);
    });
  }
  static constexpr vissl_transform_class kTable = {sizeof(vissl_transform_class), &create<T>,
                                                   &destroy<T>, kImage ? &apply_image : nullptr,
                                                   kSample ? &apply_sample : nullptr};
};

}  // namespace detail
}  // namespace abi1
}  // namespace vissl

#define VISSL_TRANSFORM(Type, name, sentence)                                             \
  VISSL_COMPONENT(Type, VISSL_TRANSFORM_ID, ::vissl::detail::TransformKind<Type>::kTable, \
                  "transform/" name "/" sentence)
