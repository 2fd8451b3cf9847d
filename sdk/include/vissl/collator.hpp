#pragma once
// Kind collator: turns samples into a batch. Pure: the same samples give the same batch.
//
//   struct Simclr {
//     void layout(const Sample& first, std::int64_t count, Batch& batch);                   // adds
//     the fields void place(std::int64_t i, std::int64_t count, Sample& sample, Batch& batch); //
//     writes the rows of sample i void finish(Batch& batch); // optional: mixes samples
//   };
//   VISSL_COLLATOR(Simclr, "simclr_collator", "Views of all samples, view-major.")
//
// Samples of one batch are placed by several workers at once, each with its own instance.
#include <vissl/collator.h>
#include <vissl/batch.hpp>
#include <vissl/extensions.hpp>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {
namespace detail {

template <class T, class = void>
struct HasFinish : std::false_type {};
template <class T>
struct HasFinish<T, std::void_t<decltype(std::declval<T&>().finish(std::declval<Batch&>()))>>
    : std::true_type {};

template <class T>
struct CollatorKind {
  static vissl_status layout(void* instance, vissl_sample* first, std::int64_t count,
                             vissl_batch* handle, vissl_err* err) noexcept {
    return guarded(err, [&] {
      Sample sample(first);
      Batch batch(handle);
      static_cast<T*>(instance)->layout(sample, count, batch);
    });
  }
  static vissl_status place(void* instance, std::int64_t i, std::int64_t count,
                            vissl_sample* handle, vissl_batch* into, vissl_err* err) noexcept {
    return guarded(err, [&] {
      Sample sample(handle);
      Batch batch(into);
      static_cast<T*>(instance)->place(i, count, sample, batch);
    });
  }
  static vissl_status finish(void* instance, vissl_batch* handle, vissl_err* err) noexcept {
    return guarded(err, [&] {
      Batch batch(handle);
      if constexpr (HasFinish<T>::value) static_cast<T*>(instance)->finish(batch);
    });
  }
  static constexpr vissl_collator_class kTable = {
      sizeof(vissl_collator_class),           &create<T>, &destroy<T>, &layout, &place,
      HasFinish<T>::value ? &finish : nullptr};
};

}  // namespace detail
}  // namespace abi1
}  // namespace vissl

#define VISSL_COLLATOR(Type, name, sentence)                                            \
  VISSL_COMPONENT(Type, VISSL_COLLATOR_ID, ::vissl::detail::CollatorKind<Type>::kTable, \
                  "collator/" name "/" sentence)
