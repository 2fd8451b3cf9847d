#pragma once
// Kind sampler: which dataset positions make up each batch of a phase. Equal arguments give equal
// batches. [main]
//
//   struct Distributed {
//     void open(const SamplerOpen& args);                     // length, labels, batch size, epoch,
//     rank, world, seed std::int64_t batch_count() const; std::vector<std::int64_t>
//     batch(std::int64_t k) const;  // or a reference to a stored vector
//   };
//   VISSL_SAMPLER(Distributed, "distributed", "A new order per phase, split over the ranks.")
#include <vissl/sampler.h>
#include <vissl/extensions.hpp>

#include <vector>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

using SamplerOpen = vissl_sampler_open;

namespace detail {

template <class T>
struct SamplerKind {
  // The last batch lives with its sampler: it is borrowed until the next call.
  struct Instance : Holder<T> {
    using Holder<T>::Holder;
    std::vector<std::int64_t> last;
  };
  static vissl_status open(void* instance, const vissl_sampler_open* args,
                           vissl_err* err) noexcept {
    return guarded(err, [&] { static_cast<Instance*>(instance)->open(*args); });
  }
  static std::int64_t batch_count(void* instance) noexcept {
    return static_cast<Instance*>(instance)->batch_count();
  }
  static vissl_status batch(void* instance, std::int64_t k, const std::int64_t** indices,
                            std::uint64_t* count, vissl_err* err) noexcept {
    return guarded(err, [&] {
      Instance& self = *static_cast<Instance*>(instance);
      self.last = self.batch(k);
      *indices = self.last.data();
      *count = self.last.size();
    });
  }
  static constexpr vissl_sampler_class kTable = {sizeof(vissl_sampler_class),
                                                 &create<Instance>,
                                                 &destroy<Instance>,
                                                 &open,
                                                 &batch_count,
                                                 &batch};
};

}  // namespace detail
}  // namespace abi1
}  // namespace vissl

#define VISSL_SAMPLER(Type, name, sentence)                                       \
  VISSL_COMPONENT(::vissl::detail::SamplerKind<Type>::Instance, VISSL_SAMPLER_ID, \
                  ::vissl::detail::SamplerKind<Type>::kTable, "sampler/" name "/" sentence)
