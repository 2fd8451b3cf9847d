#pragma once
// Kind lr_schedule: a number as a pure function of progress.
//
//   struct Linear {
//     double start, end;
//     static void params(Params& p);
//     explicit Linear(const Config& c);
//     double value(const ScheduleAt& at) const { return end * at.where + start * (1 - at.where); }
//     void rescale(double factor, double ramp_from);   // optional: makes auto_lr_scaling possible
//   };
//   VISSL_LR_SCHEDULE(Linear, "linear", "From start_value to end_value in a straight line.")
#include <vissl/lr_schedule.h>
#include <vissl/extensions.hpp>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

// Progress: where in [0, 1) over all train iterations, epoch and num_epochs of train phases.
using ScheduleAt = vissl_schedule_at;

namespace detail {

template <class T, class = void>
struct HasRescale : std::false_type {};
template <class T>
struct HasRescale<T, std::void_t<decltype(std::declval<T&>().rescale(1.0, 1.0))>> : std::true_type {
};

template <class T>
struct LrScheduleKind {
  static vissl_status value(void* instance, const vissl_schedule_at* at, double* out,
                            vissl_err* err) noexcept {
    return guarded(err, [&] { *out = static_cast<const T*>(instance)->value(*at); });
  }
  static vissl_status rescale(void* instance, double factor, double ramp_from,
                              vissl_err* err) noexcept {
    return guarded(err, [&] {
      if constexpr (HasRescale<T>::value) static_cast<T*>(instance)->rescale(factor, ramp_from);
    });
  }
  static constexpr vissl_lr_schedule_class kTable = {sizeof(vissl_lr_schedule_class), &create<T>,
                                                     &destroy<T>, &value,
                                                     HasRescale<T>::value ? &rescale : nullptr};
};

}  // namespace detail
}  // namespace abi1
}  // namespace vissl

#define VISSL_LR_SCHEDULE(Type, name, sentence)                                              \
  VISSL_COMPONENT(Type, VISSL_LR_SCHEDULE_ID, ::vissl::detail::LrScheduleKind<Type>::kTable, \
                  "lr_schedule/" name "/" sentence)
