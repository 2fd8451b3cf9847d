#pragma once
// Kind hook: what no other component owns, e.g. clipping, profiling, logging. It acts through
// events alone (events.hpp), and may have state (state.hpp).
//
//   struct GradClip {
//     double norm;
//     explicit GradClip(const Config& c) : norm(c.number("max_norm")) {}
//     static constexpr auto events = event_mask(Event::backward);
//     void on_event(Event, Run& run) { run.clip_grads(norm); }
//   };
//   VISSL_HOOK(GradClip, "grad_clip", "Limits the norm of all gradients.")
#include <vissl/hook.h>
#include <vissl/events.hpp>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {
namespace detail {

template <class T>
struct HookKind {
  static_assert(
      HasEvents<T>::value,
      "a hook needs `static constexpr auto events = event_mask(…)` and on_event(Event, Run&)");
  static constexpr vissl_hook_class kTable = {sizeof(vissl_hook_class), &create<T>, &destroy<T>};
};

}  // namespace detail
}  // namespace abi1
}  // namespace vissl

#define VISSL_HOOK(Type, name, sentence)                                        \
  VISSL_COMPONENT(Type, VISSL_HOOK_ID, ::vissl::detail::HookKind<Type>::kTable, \
                  "hook/" name "/" sentence)
