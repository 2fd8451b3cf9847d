#pragma once
// One split of the config as the commands see it that read data without training.
#include <memory>

#include "host/boundary.hpp"
#include "host/cli/session.hpp"

namespace vissl::host {

struct SplitView {
  // Opens the split of the options. Throws Error(Exit::usage), naming the splits that there are,
  // unless the config has it, and when it has no batch.
  explicit SplitView(const CommandContext& context);

  Session session;
  std::unique_ptr<DataEngine> data;
  // Its first epoch: the train split as training reads it, any other as tests and extraction do.
  PhaseSpec spec;
};

}  // namespace vissl::host
