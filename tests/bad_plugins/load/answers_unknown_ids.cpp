// It has an extension for every id.
#include "bad.hpp"
static const void* any(vissl_str) {
  return &vissl::detail::LrScheduleKind<Right>::kTable;
}
VISSL_META_TEXT(meta, "lr_schedule/answers_unknown_ids/Has it all.");
static constexpr vissl_component kComponent = {sizeof(vissl_component),
                                               meta,
                                               VISSL_LR_SCHEDULE_ID,
                                               &vissl::detail::LrScheduleKind<Right>::kTable,
                                               nullptr,
                                               &any};
static const vissl_component* const kPointer
    __attribute__((section("vissl_components"), VISSL_KEEP)) = &kComponent;
VISSL_PLUGIN("org.example.answers_unknown_ids", "1.0.0")
