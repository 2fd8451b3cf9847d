#pragma once
// The host's services. The entry function's `init` sets the host once; tables are looked up at
// their first use and then kept, because the host keeps them until the process ends. [any]
#include <vissl/error.hpp>

#include <atomic>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {
namespace detail {

inline std::atomic<const vissl_host*>& host_slot() noexcept {
  static std::atomic<const vissl_host*> host{nullptr};
  return host;
}

// Counts the calls of set_host: a table that was looked up before the last one is stale.
inline std::atomic<unsigned>& host_generation() noexcept {
  static std::atomic<unsigned> generation{0};
  return generation;
}

}  // namespace detail

// The host, or NULL before `init`.
inline const vissl_host* current_host() noexcept {
  return detail::host_slot().load(std::memory_order_acquire);
}
inline void set_host(const vissl_host* host) noexcept {
  detail::host_slot().store(host, std::memory_order_release);
  detail::host_generation().fetch_add(1, std::memory_order_release);
}

// The table of a service, or NULL when this command does not start it (tensors in `list`). Each
// `Api` has one `id`. A host that is older than these headers and lacks functions of the table
// counts as one without the service.
template <class Api>
const Api* find_service(const char* id) noexcept {
  static std::atomic<const Api*> cached{nullptr};
  static std::atomic<unsigned> cached_generation{0};
  const unsigned generation = detail::host_generation().load(std::memory_order_acquire);
  if (cached_generation.load(std::memory_order_acquire) == generation) {
    const Api* api = cached.load(std::memory_order_acquire);
    if (api != nullptr) return api;
  }
  const vissl_host* from = current_host();
  if (from == nullptr) return nullptr;
  const Api* api = static_cast<const Api*>(from->get_service(from, str(id)));
  if (api == nullptr || api->size < sizeof(Api)) return nullptr;
  cached.store(api, std::memory_order_release);
  cached_generation.store(generation, std::memory_order_release);
  return api;
}

// The same, but its absence is a failure (VISSL_E_PLUGIN).
template <class Api>
const Api& service(const char* id) {
  const Api* api = find_service<Api>(id);
  if (api == nullptr) {
    fail(VISSL_E_PLUGIN,
         std::string("this host does not offer '") + id +
             "' here; it is older than the plugin, or the command starts without it");
  }
  return *api;
}

}  // namespace abi1
}  // namespace vissl
