// Its value depends on how often it was asked.
#include "bad.hpp"
struct Broken {
  mutable double next = 1.0;
  double value(const vissl::ScheduleAt&) const { return next *= 0.9; }
};
VISSL_LR_SCHEDULE(Broken, "schedule_with_memory", "Counts its calls.")
VISSL_PLUGIN("org.example.schedule_with_memory", "1.0.0")
