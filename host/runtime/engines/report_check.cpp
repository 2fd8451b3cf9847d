#include <cmath>
#include <fstream>
#include <iomanip>
#include <sstream>

#include "host/files/counted.hpp"
#include "host/runtime/engines/kinds.hpp"

namespace vissl::host {

namespace {

// Peak resident memory of this process in MiB, -1 where the kernel does not tell.
std::int64_t peak_memory_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmHWM:", 0) == 0) return std::stoll(line.substr(6)) / 1024;
  }
  return -1;
}

std::string thousands(std::int64_t n) {
  const std::string digits = std::to_string(n);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && digits[i - 1] != '-' && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

}  // namespace

std::string report_check(Task& task, double step_seconds, double seconds) {
  std::int64_t parameters = 0, trainable = 0;
  for (const Entry* e : task.model().store().parameters()) {
    parameters += e->tensor.numel();
    if (e->trainable()) trainable += e->tensor.numel();
  }
  std::ostringstream out;
  out << std::fixed << std::setprecision(1) << "check passed: model with " << thousands(parameters)
      << " parameters, " << thousands(trainable) << " of them trained; precision "
      << task.session().precision().name << ", " << counted(task.session().threads(), "thread")
      << "; peak memory " << thousands(peak_memory_mib()) << " MiB";
  if (task.session().cuda() != nullptr)
    out << ", of the GPU's tensors " << thousands(task.session().peak_memory_mib()) << " MiB";
  if (!std::isnan(step_seconds) && task.has_train()) {
    out << "; loss " << std::setprecision(4) << task.current.mean_loss << std::setprecision(1)
        << "; the run has " << thousands(task.counters.max_iteration) << " steps of "
        << task.counters.global_batch << " samples, about "
        << step_seconds * static_cast<double>(task.counters.max_iteration) / 60.0
        << " minutes at the " << 1000.0 * step_seconds << " ms of the last of three steps";
  }
  out << "; the check took " << seconds << " s";
  return out.str();
}

}  // namespace vissl::host
