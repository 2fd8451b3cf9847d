#pragma once
// What any component may offer beyond its kind, found by its members:
//   enter_block(const Block&) and leave_block(const Block&)  -> "vissl.blocks/1", see blocks.hpp
//   on_event(Event, Run&)  with  static constexpr auto events = event_mask(Event::update, …)     ->
//   "vissl.events/1" save(Writer&) and load(Reader&, std::uint64_t version), and optionally
//   state_version         -> "vissl.state/1"
// Writer and Reader come from state.hpp, Event and Run from events.hpp; a component without state
// or events includes neither. The registration macros of all kinds end here.
#include <vissl/plugin.hpp>

struct vissl_run;
struct vissl_events_class;
struct vissl_state_class;
struct vissl_blocks_class;

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

class Writer;
class Reader;
class Block;

namespace detail {

// Specialised by events.hpp and state.hpp, so that kinds without them need not include the run or
// the streams.
template <class T>
struct EventsExtension;
template <class T>
struct StateExtension;
template <class T>
struct BlocksExtension;

template <class T, class = void>
struct HasEvents : std::false_type {};
template <class T>
struct HasEvents<T, std::void_t<decltype(T::events), decltype(&T::on_event)>> : std::true_type {};

template <class T, class = void>
struct HasSave : std::false_type {};
template <class T>
struct HasSave<T, std::void_t<decltype(std::declval<T&>().save(std::declval<Writer&>()))>>
    : std::true_type {};
template <class T, class = void>
struct HasLoad : std::false_type {};
template <class T>
struct HasLoad<
    T, std::void_t<decltype(std::declval<T&>().load(std::declval<Reader&>(), std::uint64_t{}))>>
    : std::true_type {};

template <class T, class = void>
struct HasBlocks : std::false_type {};
template <class T>
struct HasBlocks<
    T, std::void_t<decltype(std::declval<T&>().enter_block(std::declval<const Block&>())),
                   decltype(std::declval<T&>().leave_block(std::declval<const Block&>()))>>
    : std::true_type {};

template <class T>
const void* extension(vissl_str id) noexcept {
  static_assert(
      HasSave<T>::value == HasLoad<T>::value,
      "state needs both: save(vissl::Writer&) and load(vissl::Reader&, std::uint64_t version)");
  if constexpr (HasEvents<T>::value) {
    if (view(id) == EventsExtension<T>::kId) return &EventsExtension<T>::kTable;
  }
  if constexpr (HasSave<T>::value && HasLoad<T>::value) {
    if (view(id) == StateExtension<T>::kId) return &StateExtension<T>::kTable;
  }
  if constexpr (HasBlocks<T>::value) {
    if (view(id) == BlocksExtension<T>::kId) return &BlocksExtension<T>::kTable;
  }
  static_cast<void>(id);
  return nullptr;
}

}  // namespace detail
}  // namespace abi1
}  // namespace vissl

// Registers `Type` with the class table `table` (an lvalue) of interface `interface`. `meta` is
// "kind/name/sentence".
#define VISSL_COMPONENT(Type, interface, table, meta) \
  VISSL_COMPONENT_(Type, interface, table, meta, __COUNTER__)
#define VISSL_COMPONENT_(Type, interface, table, meta, n) \
  VISSL_COMPONENT__(Type, interface, table, meta, n)
#define VISSL_COMPONENT__(Type, interface, table, meta, n)                                    \
  VISSL_META_TEXT(vissl_meta_##n, meta);                                                      \
  static constexpr vissl_component vissl_component_##n = {sizeof(vissl_component),            \
                                                          vissl_meta_##n,                     \
                                                          interface,                          \
                                                          &table,                             \
                                                          &::vissl::detail::declare<Type>,    \
                                                          &::vissl::detail::extension<Type>}; \
  static const vissl_component* const vissl_component_pointer_##n                             \
      __attribute__((section("vissl_components"), VISSL_KEEP)) = &vissl_component_##n;
