// Its section calls a schedule a loss.
#include "bad.hpp"
VISSL_COMPONENT(Right, VISSL_LR_SCHEDULE_ID, vissl::detail::LrScheduleKind<Right>::kTable,
                "loss/other_kind_inside/Is a schedule.")
VISSL_PLUGIN("org.example.other_kind_inside", "1.0.0")
