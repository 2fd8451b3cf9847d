#pragma once
// The `build` of trunks, heads and losses: where a component creates its parameters and buffers.
// One of
//   void build(const nn::Scope& store, const RunFacts& facts);
//   void build(const nn::Scope& store);
// or none for a component without tensors of its own.
#include <vissl/plugin.hpp>
#include <vissl/run.hpp>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {
namespace detail {

template <class T, class Signature, class = void>
struct HasBuild : std::false_type {};
template <class T, class... Args>
struct HasBuild<T, void(Args...),
                std::void_t<decltype(std::declval<T&>().build(std::declval<Args>()...))>>
    : std::true_type {};

// Of losses and heads.
template <class T, class Signature, class = void>
struct HasForward : std::false_type {};
template <class T, class... Args>
struct HasForward<T, void(Args...),
                  std::void_t<decltype(std::declval<T&>().forward(std::declval<Args>()...))>>
    : std::true_type {};

template <class T>
void build_into(T& component, vissl_store* store, const vissl_run_facts* facts) {
  const nn::Scope scope(store);
  if constexpr (HasBuild<T, void(const nn::Scope&, const RunFacts&)>::value) {
    component.build(scope, known_part(facts));
  } else if constexpr (HasBuild<T, void(const nn::Scope&)>::value) {
    component.build(scope);
  } else {
    static_cast<void>(component), static_cast<void>(facts);
  }
}
template <class T>
vissl_status build(void* instance, vissl_store* store, const vissl_run_facts* facts,
                   vissl_err* err) noexcept {
  return guarded(err, [&] { build_into(*static_cast<T*>(instance), store, facts); });
}

}  // namespace detail
}  // namespace abi1
}  // namespace vissl
