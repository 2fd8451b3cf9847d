#pragma once
// An entry function whose parts can be wrong on purpose.
#include "plain.hpp"

#define BAD_PLUGIN(name, abi, abi_number, init)                                                   \
  VISSL_META_TEXT(vissl_plugin_meta, "plugin/org.example." name "/1.0.0/" abi);                   \
  extern "C" __attribute__((visibility("default"))) const vissl_plugin* vissl_plugin_entry_v1() { \
    static const ::vissl::detail::PluginData data = {                                             \
        {sizeof(vissl_plugin), abi_number, 0, "org.example." name, "1.0.0", init,                 \
         &::vissl::detail::no_interface, __start_vissl_components, __stop_vissl_components},      \
        vissl_plugin_meta};                                                                       \
    return &data.plugin;                                                                          \
  }
