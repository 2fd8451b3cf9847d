#pragma once
// Kind lr_schedule: a number as a pure function of progress.
//
//   struct Linear {
//     double start, end;
//     static void params(Params& p);
//     explicit Linear(const Config& c);
//     double value(const ScheduleAt& at) const { return end * at.where + start * (1 - at.where); }
//     static constexpr auto update_interval = "epoch";  // optional: the default, else "step"
//     void rescale(double factor, double ramp_from);    // optional: makes auto_lr_scaling possible
//   };
//   VISSL_LR_SCHEDULE(Linear, "linear", "From start_value to end_value in a straight line.")
#include <vissl/lr_schedule.h>
#include <vissl/extensions.hpp>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

// Progress: where in [0, 1) over all train iterations, epoch and num_epochs of train phases.
using ScheduleAt = vissl_schedule_at;

// base_value of a schedule's auto_lr_scaling: the learning rate for base_lr_batch_size samples.
inline constexpr double kDefaultBaseValue = 0.1;
inline double scaling_base(const Config& schedule) {
  const std::optional<Config> scaling = schedule.find("auto_lr_scaling");
  return scaling && scaling->has("base_value") ? scaling->number("base_value") : kDefaultBaseValue;
}

namespace detail {

template <class T, class = void>
struct UpdateInterval {
  static constexpr const char* value = "step";
};
template <class T>
struct UpdateInterval<T, std::void_t<decltype(T::update_interval)>> {
  static constexpr const char* value = T::update_interval;
};

// Every schedule has the parameters that the host reads beside its own.
template <class T>
struct ScheduleInstance : Holder<T> {
  using Holder<T>::Holder;
  static void params(Params& p) {
    if constexpr (HasParams<T>::value) T::params(p);
    p.string("update_interval", UpdateInterval<T>::value, one_of("step", "epoch"),
             "Evaluated before every optimizer step, or at the start of every train phase.");
    p.table("auto_lr_scaling",
            "{ auto_scale = false, base_value = " + to_toml(kDefaultBaseValue) +
                ", base_lr_batch_size = 256, scaling_type = \"linear\" }",
            "Scales the values with the batch size of all ranks; scaling_type is linear or sqrt.");
  }
};

template <class T, class = void>
struct HasRescale : std::false_type {};
template <class T>
struct HasRescale<T, std::void_t<decltype(std::declval<T&>().rescale(1.0, 1.0))>> : std::true_type {
};

template <class T>
struct LrScheduleKind {
  static vissl_status value(void* instance, const vissl_schedule_at* at, double* out,
                            vissl_err* err) noexcept {
    return guarded(err,
                   [&] { *out = static_cast<const ScheduleInstance<T>*>(instance)->value(*at); });
  }
  static vissl_status rescale(void* instance, double factor, double ramp_from,
                              vissl_err* err) noexcept {
    return guarded(err, [&] {
      if constexpr (HasRescale<T>::value)
        static_cast<ScheduleInstance<T>*>(instance)->rescale(factor, ramp_from);
    });
  }
  static constexpr vissl_lr_schedule_class kTable = {sizeof(vissl_lr_schedule_class), &create<T>,
                                                     &destroy<T>, &value,
                                                     HasRescale<T>::value ? &rescale : nullptr};
};

}  // namespace detail
}  // namespace abi1
}  // namespace vissl

#define VISSL_LR_SCHEDULE(Type, name, sentence)                                  \
  VISSL_COMPONENT(::vissl::detail::ScheduleInstance<Type>, VISSL_LR_SCHEDULE_ID, \
                  ::vissl::detail::LrScheduleKind<Type>::kTable, "lr_schedule/" name "/" sentence)
