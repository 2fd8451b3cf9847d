#pragma once
// Kind meter: counts over a phase, and a value as JSON.
//
//   struct Accuracy {
//     std::vector<double> counts;
//     void reset();
//     void update(const std::vector<Tensor>& outputs, const Tensor& target);
//     std::vector<double>& counters() { return counts; }   // the host sums them over the ranks at
//     the end of a phase void value(Json& out) const { out.object().key("top_1").number(75.6); }
//   };
//   Optional: void reduce(const Collectives& ranks), before the counters are summed, for what is no
//   sum.
//   VISSL_METER(Accuracy, "accuracy_list_meter", "Top-k accuracy of every output.")
#include <vissl/meter.h>
#include <vissl/collectives.hpp>
#include <vissl/events.hpp>
#include <vissl/json.hpp>
#include <vissl/state.hpp>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {
namespace detail {

template <class T, class = void>
struct HasReduce : std::false_type {};
template <class T>
struct HasReduce<T, std::void_t<decltype(std::declval<T&>().reduce(std::declval<Collectives>()))>>
    : std::true_type {};

template <class T>
struct MeterKind {
  static vissl_status reset(void* instance, vissl_err* err) noexcept {
    return guarded(err, [&] { static_cast<T*>(instance)->reset(); });
  }
  static vissl_status update(void* instance, vissl_tensor* const* outputs,
                             std::uint64_t output_count, vissl_tensor* target,
                             vissl_err* err) noexcept {
    return guarded(err, [&] {
      static_cast<T*>(instance)->update(borrow_tensors(outputs, output_count),
                                        Tensor::borrow(target));
    });
  }
  static vissl_status counters(void* instance, double** data, std::uint64_t* count,
                               vissl_err* err) noexcept {
    return guarded(err, [&] {
      std::vector<double>& counts = static_cast<T*>(instance)->counters();
      *data = counts.data();
      *count = counts.size();
    });
  }
  static vissl_status value(void* instance, const vissl_out* out, vissl_err* err) noexcept {
    return guarded(err, [&] {
      Json json;
      static_cast<const T*>(instance)->value(json);
      const std::string text = json.text();
      Writer(out).write(text.data(), text.size());
    });
  }
  static vissl_status reduce(void* instance, vissl_err* err) noexcept {
    if constexpr (HasReduce<T>::value) {
      return guarded(err, [&] { static_cast<T*>(instance)->reduce(Collectives()); });
    } else {
      static_cast<void>(instance);
      return report(err, VISSL_E_UNSUPPORTED, "this meter has counters only");
    }
  }
  static constexpr vissl_meter_class kTable = {sizeof(vissl_meter_class),
                                               &create<T>,
                                               &destroy<T>,
                                               &reset,
                                               &update,
                                               &counters,
                                               &value,
                                               HasReduce<T>::value ? &reduce : nullptr};
};

}  // namespace detail
}  // namespace abi1
}  // namespace vissl

#define VISSL_METER(Type, name, sentence)                                         \
  VISSL_COMPONENT(Type, VISSL_METER_ID, ::vissl::detail::MeterKind<Type>::kTable, \
                  "meter/" name "/" sentence)
