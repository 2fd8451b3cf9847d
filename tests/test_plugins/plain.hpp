#pragma once
// Components that only declare parameters: enough for the catalogue and the config, which never
// call a kind's own methods.
#include <vissl/collator.h>
#include <vissl/data_source.h>
#include <vissl/engine.h>
#include <vissl/head.h>
#include <vissl/hook.h>
#include <vissl/loss.h>
#include <vissl/lr_schedule.h>
#include <vissl/meter.h>
#include <vissl/optimizer.h>
#include <vissl/sampler.h>
#include <vissl/transform.h>
#include <vissl/trunk.h>
#include <vissl/weights.h>

#include <vissl/extensions.hpp>

// A class table with `create` and `destroy` only; every other method stays NULL.
template <class Table, class T>
constexpr Table plain_table() {
  Table table{};
  table.size = sizeof(Table);
  table.create = &vissl::detail::create<T>;
  table.destroy = &vissl::detail::destroy<T>;
  return table;
}

// The interface that a class table belongs to.
#define INTERFACE(kind, id)                                         \
  constexpr const char* interface_of(const vissl_##kind##_class&) { \
    return id;                                                      \
  }
INTERFACE(collator, VISSL_COLLATOR_ID)
INTERFACE(data_source, VISSL_DATA_SOURCE_ID)
INTERFACE(engine, VISSL_ENGINE_ID)
INTERFACE(head, VISSL_HEAD_ID)
INTERFACE(hook, VISSL_HOOK_ID)
INTERFACE(loss, VISSL_LOSS_ID)
INTERFACE(lr_schedule, VISSL_LR_SCHEDULE_ID)
INTERFACE(meter, VISSL_METER_ID)
INTERFACE(optimizer, VISSL_OPTIMIZER_ID)
INTERFACE(param_groups, VISSL_PARAM_GROUPS_ID)
INTERFACE(sampler, VISSL_SAMPLER_ID)
INTERFACE(transform, VISSL_TRANSFORM_ID)
INTERFACE(trunk, VISSL_TRUNK_ID)
INTERFACE(weights_profile, VISSL_WEIGHTS_PROFILE_ID)
#undef INTERFACE

#define PLAIN(kind, Type, name)                                                     \
  static constexpr auto k##Type##Table = plain_table<vissl_##kind##_class, Type>(); \
  VISSL_COMPONENT(Type, interface_of(k##Type##Table), k##Type##Table,               \
                  #kind "/" name "/Stands for " name " in tests.")
