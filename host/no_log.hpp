#pragma once
#include "host/boundary.hpp"

namespace vissl::host {

// Where nobody is to hear of anything.
class NoLog final : public Logger {
  void log(LogLevel, std::string_view) override {}
  void open_file(const std::string&, bool) override {}
  void progress(const Progress&) override {}
  void progress_done() override {}
};

}  // namespace vissl::host
