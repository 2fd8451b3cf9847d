#pragma once
// What makes a shared library a plugin: its metadata, its components, and the one exported
// function.
//
//   VISSL_PLUGIN("org.vissl.losses", "1.0.0")     // exactly once per plugin, in any one of its
//   files
//
// Components are registered with the macro of their kind (VISSL_LOSS …), any number per file and
// plugin. Nothing runs when the library is loaded: descriptors are constants. Their pointers and
// texts lie in two sections:
//   ".vissl_meta"       texts that discovery reads from the file without loading it (abi.h)
//   "vissl_components"  pointers to the descriptors, which the entry function finds by the linker's
//   start/stop symbols
// Build with -fvisibility=hidden and a version script that exports vissl_plugin_entry_v1 alone.
#include <vissl/params.hpp>
#include <vissl/value.hpp>

#include <type_traits>

#if defined(__has_attribute)
#if __has_attribute(retain)
#define VISSL_KEEP used, retain
#endif
#endif
#ifndef VISSL_KEEP
#define VISSL_KEEP used
#endif

// Bytes of a metadata text. `aligned(1)` keeps the compiler from padding large arrays.
#define VISSL_META_TEXT(variable, text) \
  static const char variable[]          \
      __attribute__((section(VISSL_META_SECTION), VISSL_KEEP, aligned(1))) = text

#define VISSL_JOIN_(a, b) a##b
#define VISSL_JOIN(a, b) VISSL_JOIN_(a, b)

extern "C" {
// Weak: a plugin without components has no such section.
extern const vissl_component* const __start_vissl_components[]
    __attribute__((weak, visibility("hidden")));
extern const vissl_component* const __stop_vissl_components[]
    __attribute__((weak, visibility("hidden")));
}

static_assert(VISSL_ABI_MAJOR == 1 && VISSL_ABI_MINOR == 0, "update VISSL_ABI_TEXT");
#define VISSL_ABI_TEXT "1.0"

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {
namespace detail {

// The descriptor together with its text: the reference keeps the text through --gc-sections.
struct PluginData {
  vissl_plugin plugin;
  const char* meta;
};

inline vissl_status init_plugin(const vissl_host* host, vissl_err* err) noexcept {
  if (host == nullptr || host->abi_major != VISSL_ABI_MAJOR) {
    return report(err, VISSL_E_PLUGIN,
                  "the plugin was built for ABI " VISSL_ABI_TEXT
                  ", which this host does not speak");
  }
  set_host(host);
  return VISSL_OK;
}
inline const void* no_interface(vissl_str /*id*/) noexcept {
  return nullptr;
}

template <class T, class = void>
struct HasParams : std::false_type {};
template <class T>
struct HasParams<T, std::void_t<decltype(T::params(std::declval<Params&>()))>> : std::true_type {};

template <class T>
vissl_status declare(vissl_decl* decl, const vissl_params_api* api, vissl_err* err) noexcept {
  return guarded(err, [&] {
    Params params(decl, api);
    if constexpr (HasParams<T>::value) T::params(params);
    params.finish();
  });
}

// Every kind's `create` and `destroy`: T(const Config&) if there is one, else T().
template <class T>
vissl_status create(const vissl_value* config, void** instance, vissl_err* err) noexcept {
  return guarded(err, [&] {
    if constexpr (std::is_constructible_v<T, const Config&>) {
      *instance = new T(Config(config));
    } else {
      static_assert(std::is_default_constructible_v<T>,
                    "a component needs a constructor that takes (const vissl::Config&), or none");
      *instance = new T();
    }
  });
}
template <class T>
void destroy(void* instance) noexcept {
  delete static_cast<T*>(instance);
}

// A component with something of the SDK beside it, for methods whose results the host borrows.
template <class T>
struct Holder : T {
  explicit Holder(const Config& config)
      : Holder(config, std::is_constructible<T, const Config&>()) {}

 private:
  Holder(const Config& config, std::true_type) : T(config) {}
  Holder(const Config&, std::false_type) : T() {}
};

}  // namespace detail
}  // namespace abi1
}  // namespace vissl

#define VISSL_PLUGIN(plugin_id, plugin_version)                                                   \
  VISSL_META_TEXT(vissl_plugin_meta, "plugin/" plugin_id "/" plugin_version "/" VISSL_ABI_TEXT);  \
  extern "C" __attribute__((visibility("default"))) const vissl_plugin* vissl_plugin_entry_v1() { \
    static const ::vissl::detail::PluginData data = {                                             \
        {sizeof(vissl_plugin), VISSL_ABI_MAJOR, VISSL_ABI_MINOR, plugin_id, plugin_version,       \
         &::vissl::detail::init_plugin, &::vissl::detail::no_interface, __start_vissl_components, \
         __stop_vissl_components},                                                                \
        vissl_plugin_meta};                                                                       \
    return &data.plugin;                                                                          \
  }
