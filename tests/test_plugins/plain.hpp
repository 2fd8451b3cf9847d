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

#define PLAIN(kind, Type, name)                                                     \
  static constexpr auto k##Type##Table = plain_table<vissl_##kind##_class, Type>(); \
  VISSL_COMPONENT(Type, "vissl." #kind "/0", k##Type##Table,                        \
                  #kind "/" name "/Stands for " name " in tests.")
