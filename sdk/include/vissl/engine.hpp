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
// An engine that trains says so, and asks for the phases one by one or all at once:
//   static constexpr bool trains = true;
//   void run(Run& run) { while (run.train(1) == Progress::more) probe(run); }
#include <vissl/engine.h>
#include <vissl/events.hpp>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {
namespace detail {

template <class T, class = void>
struct EngineTrains : std::false_type {};
template <class T>
struct EngineTrains<T, std::enable_if_t<T::trains>> : std::true_type {};

template <class T>
struct EngineKind {
  static vissl_status run(void* instance, vissl_run* handle, vissl_err* err) noexcept {
    return guarded(err, [&] {
      Run run(handle);
      static_cast<T*>(instance)->run(run);
    });
  }
  static constexpr vissl_engine_class kTable = {sizeof(vissl_engine_class), &create<T>, &destroy<T>,
                                                &run,
                                                EngineTrains<T>::value ? VISSL_ENGINE_TRAINS : 0u};
};

}  // namespace detail
}  // namespace abi1
}  // namespace vissl

#define VISSL_ENGINE(Type, name, sentence)                                          \
  VISSL_COMPONENT(Type, VISSL_ENGINE_ID, ::vissl::detail::EngineKind<Type>::kTable, \
                  "engine/" name "/" sentence)
