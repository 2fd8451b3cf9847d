#include "host/plugin/conformance/slots.hpp"

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
#include <vissl/weights_format.h>
#include <vissl/weights_scheme.h>

#include <cstddef>
#include <cstring>

namespace vissl::host {
namespace {

struct Slot {
  std::string_view kind;
  const char* name;
  std::size_t offset;
};

#define SLOT(kind, method) \
  { #kind, #method, offsetof(vissl_##kind##_class, method) }
constexpr Slot kSlots[] = {
    SLOT(trunk, build),
    SLOT(trunk, feature_count),
    SLOT(trunk, feature_name),
    SLOT(trunk, forward),
    SLOT(head, build),
    SLOT(head, forward),
    SLOT(loss, build),
    SLOT(loss, forward),
    SLOT(data_source, open),
    SLOT(data_source, length),
    SLOT(data_source, label),
    SLOT(data_source, path),
    SLOT(data_source, class_count),
    SLOT(data_source, class_name),
    SLOT(collator, layout),
    SLOT(collator, place),
    SLOT(sampler, open),
    SLOT(sampler, batch_count),
    SLOT(sampler, batch),
    SLOT(optimizer, hyper_count),
    SLOT(optimizer, hyper_name),
    SLOT(optimizer, hyper_default),
    SLOT(optimizer, step),
    SLOT(param_groups, assign),
    SLOT(lr_schedule, value),
    SLOT(meter, reset),
    SLOT(meter, update),
    SLOT(meter, counters),
    SLOT(meter, value),
    SLOT(engine, run),
    SLOT(weights_format, recognise),
    SLOT(weights_format, open),
    SLOT(weights_scheme, resolve),
    {"weights", "plan", offsetof(vissl_weights_profile_class, plan)},
};
#undef SLOT

bool empty_at(const void* table, std::size_t offset) {
  void* pointer = nullptr;
  std::memcpy(&pointer, static_cast<const char*>(table) + offset, sizeof pointer);
  return pointer == nullptr;
}

}  // namespace

std::string missing_slot(std::string_view kind, const void* table) {
  if (empty_at(table, offsetof(vissl_hook_class, create))) return "create";
  if (empty_at(table, offsetof(vissl_hook_class, destroy))) return "destroy";
  for (const Slot& slot : kSlots)
    if (slot.kind == kind && empty_at(table, slot.offset)) return slot.name;
  if (kind == "transform") {
    const auto& transform = *static_cast<const vissl_transform_class*>(table);
    if (transform.apply_image == nullptr && transform.apply_sample == nullptr)
      return "apply_image or apply_sample";
  }
  if (kind == "data_source") {
    const auto& source = *static_cast<const vissl_data_source_class*>(table);
    const int readers = (source.read != nullptr) + (source.reader_create != nullptr) +
                        (source.reader_destroy != nullptr);
    if (readers == 1 || readers == 2) return "read, reader_create or reader_destroy";
  }
  return "";
}

}  // namespace vissl::host
