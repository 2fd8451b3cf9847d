#pragma once
// Kind engine: what [engine] runs. Data splits and the model, weights loaded, are there; all else
// goes through Run. [main]
//
//   struct NearestNeighbor {
//     explicit NearestNeighbor(const Config& c);
//     void run(Run& run);
//   };
//   VISSL_ENGINE(NearestNeighbor, "nearest_neighbor", "k-nearest-neighbour accuracy of trunk
//   features.")
#include <vissl/engine.h>
#include <vissl/events.hpp>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {
namespace detail {

template <class T>
struct EngineKind {
  static vissl_status run(void* instance, vissl_run* handle, vissl_err* err) noexcept {
    return guarded(err, [&] {
      Run run(handle);
      static_cast<T*>(instance)->run(run);
    });
  }
  static constexpr vissl_engine_class kTable = {sizeof(vissl_engine_class), &create<T>, &destroy<T>,
                                                &run};
};

}  // namespace detail
}  // namespace abi1
}  // namespace vissl

#define VISSL_ENGINE(Type, name, sentence)                                          \
  VISSL_COMPONENT(Type, VISSL_ENGINE_ID, ::vissl::detail::EngineKind<Type>::kTable, \
                  "engine/" name "/" sentence)
