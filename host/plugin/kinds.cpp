#include "host/plugin/kinds.hpp"

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

namespace vissl::host {
namespace {

constexpr Kind kKinds[] = {
    {"trunk", VISSL_TRUNK_ID, sizeof(vissl_trunk_class)},
    {"head", VISSL_HEAD_ID, sizeof(vissl_head_class)},
    {"loss", VISSL_LOSS_ID, sizeof(vissl_loss_class)},
    {"data_source", VISSL_DATA_SOURCE_ID, sizeof(vissl_data_source_class)},
    {"transform", VISSL_TRANSFORM_ID, sizeof(vissl_transform_class)},
    {"collator", VISSL_COLLATOR_ID, sizeof(vissl_collator_class)},
    {"sampler", VISSL_SAMPLER_ID, sizeof(vissl_sampler_class)},
    {"optimizer", VISSL_OPTIMIZER_ID, sizeof(vissl_optimizer_class)},
    {"param_groups", VISSL_PARAM_GROUPS_ID, sizeof(vissl_param_groups_class)},
    {"lr_schedule", VISSL_LR_SCHEDULE_ID, sizeof(vissl_lr_schedule_class)},
    {"meter", VISSL_METER_ID, sizeof(vissl_meter_class)},
    {"hook", VISSL_HOOK_ID, sizeof(vissl_hook_class)},
    {"engine", VISSL_ENGINE_ID, sizeof(vissl_engine_class)},
    {"weights", VISSL_WEIGHTS_PROFILE_ID, sizeof(vissl_weights_profile_class)},
};

}  // namespace

std::span<const Kind> kinds() {
  return kKinds;
}

const Kind* find_kind(std::string_view name) {
  for (const Kind& kind : kKinds)
    if (kind.name == name) return &kind;
  return nullptr;
}

}  // namespace vissl::host
