#include "host/plugin/kinds.hpp"

#include <vissl/blocks.h>
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
#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace vissl::host {
namespace {

// Bytes up to the end of a field: that of the last one when the table was first released.
#define UPTO(Table, field) (offsetof(Table, field) + sizeof(Table::field))

constexpr Kind kKinds[] = {
    {"trunk", VISSL_TRUNK_ID, UPTO(vissl_trunk_class, feature_channels), sizeof(vissl_trunk_class)},
    {"head", VISSL_HEAD_ID, UPTO(vissl_head_class, in_channels), sizeof(vissl_head_class)},
    {"loss", VISSL_LOSS_ID, UPTO(vissl_loss_class, rank_reduction), sizeof(vissl_loss_class)},
    {"data_source", VISSL_DATA_SOURCE_ID, UPTO(vissl_data_source_class, read),
     sizeof(vissl_data_source_class)},
    {"transform", VISSL_TRANSFORM_ID, UPTO(vissl_transform_class, apply_sample),
     sizeof(vissl_transform_class)},
    {"collator", VISSL_COLLATOR_ID, UPTO(vissl_collator_class, finish),
     sizeof(vissl_collator_class)},
    {"sampler", VISSL_SAMPLER_ID, UPTO(vissl_sampler_class, batch), sizeof(vissl_sampler_class)},
    {"optimizer", VISSL_OPTIMIZER_ID, UPTO(vissl_optimizer_class, step),
     sizeof(vissl_optimizer_class)},
    {"param_groups", VISSL_PARAM_GROUPS_ID, UPTO(vissl_param_groups_class, assign),
     sizeof(vissl_param_groups_class)},
    {"lr_schedule", VISSL_LR_SCHEDULE_ID, UPTO(vissl_lr_schedule_class, rescale),
     sizeof(vissl_lr_schedule_class)},
    {"meter", VISSL_METER_ID, UPTO(vissl_meter_class, value), sizeof(vissl_meter_class)},
    {"hook", VISSL_HOOK_ID, UPTO(vissl_hook_class, destroy), sizeof(vissl_hook_class)},
    {"engine", VISSL_ENGINE_ID, UPTO(vissl_engine_class, run), sizeof(vissl_engine_class)},
    {"weights", VISSL_WEIGHTS_PROFILE_ID, UPTO(vissl_weights_profile_class, plan),
     sizeof(vissl_weights_profile_class)},
    {"weights_format", VISSL_WEIGHTS_FORMAT_ID, UPTO(vissl_weights_format_class, sample),
     sizeof(vissl_weights_format_class)},
    {"weights_scheme", VISSL_WEIGHTS_SCHEME_ID, UPTO(vissl_weights_scheme_class, flags),
     sizeof(vissl_weights_scheme_class)},
};

// Tables of the extensions, which have no kind.
constexpr Kind kExtensions[] = {
    {"events", VISSL_EVENTS_ID, UPTO(vissl_events_class, on_event), sizeof(vissl_events_class)},
    {"blocks", VISSL_BLOCKS_ID, UPTO(vissl_blocks_class, leave), sizeof(vissl_blocks_class)},
    {"state", VISSL_STATE_ID, UPTO(vissl_state_class, load), sizeof(vissl_state_class)},
};
#undef UPTO

}  // namespace

std::span<const Kind> kinds() {
  return kKinds;
}

const Kind* find_kind(std::string_view name) {
  for (const Kind& kind : kKinds)
    if (kind.name == name) return &kind;
  return nullptr;
}

const Kind* find_extension(std::string_view id) {
  for (const Kind& extension : kExtensions)
    if (extension.interface_id == id) return &extension;
  return nullptr;
}

const void* whole_table(const void* table, std::uint64_t whole) {
  std::uint64_t size = 0;
  std::memcpy(&size, table, sizeof(size));
  if (size >= whole) return table;
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  static auto* const copies =
      new std::map<std::pair<const void*, std::uint64_t>, std::vector<std::max_align_t>>();
  std::vector<std::max_align_t>& copy = (*copies)[{table, whole}];
  if (copy.empty()) {
    copy.resize(static_cast<std::size_t>(whole) / sizeof(std::max_align_t) + 1);
    std::memset(copy.data(), 0, copy.size() * sizeof(std::max_align_t));
    std::memcpy(copy.data(), table, static_cast<std::size_t>(size));
  }
  return copy.data();
}

}  // namespace vissl::host
