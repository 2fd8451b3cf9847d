#pragma once
// What the bad plugins share: a component that is right, and an entry function whose parts can be
// wrong.
#include <vissl/lr_schedule.hpp>

struct Right {
  double value(const vissl::ScheduleAt&) const { return 0.1; }
};
#define RIGHT_SCHEDULE(name) VISSL_LR_SCHEDULE(Right, name, "A schedule without a fault.")

// An init that calls `body` once.
#define INIT_THAT(body)                                          \
  static vissl_status init_that(const vissl_host*, vissl_err*) { \
    body;                                                        \
    return VISSL_OK;                                             \
  }

// Like VISSL_PLUGIN with `abi` in the section, and `size`, `major` and `init` in the descriptor.
#define BAD_PLUGIN(name, abi, size, major, init)                                                  \
  VISSL_META_TEXT(vissl_plugin_meta, "plugin/org.example." name "/1.0.0/" abi);                   \
  extern "C" __attribute__((visibility("default"))) const vissl_plugin* vissl_plugin_entry_v1() { \
    static const ::vissl::detail::PluginData data = {                                             \
        {size, major, 0, "org.example." name, "1.0.0", init, &::vissl::detail::no_interface,      \
         __start_vissl_components, __stop_vissl_components},                                      \
        vissl_plugin_meta};                                                                       \
    return &data.plugin;                                                                          \
  }
#define BAD_INIT_PLUGIN(name) BAD_PLUGIN(name, "1.0", sizeof(vissl_plugin), 1, &init_that)
