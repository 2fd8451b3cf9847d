#pragma once
// The data engine: opens splits, makes phases, and holds what lives longer than one phase.
#include <memory>
#include <string_view>

#include "host/boundary.hpp"

namespace vissl::host {

// `config`: the whole resolved config; it, the catalogue and the logger must outlive the engine.
// `core_share`: processes that share this one's cores, for data.num_workers = "auto". Splits are
// opened when they are first asked for. Throws Error(usage) for wrong settings of
// [data]. All methods [main], except label, path and class_labels of a split that was opened
// before: [any].
std::unique_ptr<DataEngine> make_data_engine(const vissl_value* config, Catalogue& catalogue,
                                             Logger& log, int core_share = 1);

// The service tables "vissl.image/1", "vissl.sample/1" and "vissl.batch/1"; NULL for other ids.
const void* data_service(std::string_view id);

}  // namespace vissl::host
