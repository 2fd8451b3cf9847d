#include "host/runtime/session.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/cpu/Utils.h>
#include <sched.h>

#include <algorithm>

#include "host/files/counted.hpp"
#include "host/runtime/abi/context.hpp"
#include "host/runtime/automatic_precision.hpp"
#include "host/runtime/dist/collectives.hpp"

namespace vissl::host {

namespace {

bool this_cpu_has(const char* feature) {
  const auto capabilities = at::cpu::get_cpu_capabilities();
  const auto found = capabilities.find(feature);
  return found != capabilities.end() && found->second.isBool() && found->second.toBool();
}

// Cores that this process may use; libtorch's own default halves them on virtual machines.
int usable_cores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof(cores), &cores) != 0) return at::get_num_threads();
  return std::max(1, CPU_COUNT(&cores));
}

int resolve_threads(int64_t setting, int64_t core_share) {
  if (setting > 0) return static_cast<int>(setting);
  return std::max(1, usable_cores() / static_cast<int>(std::max<int64_t>(1, core_share)));
}

void set_determinism(bool on) {
  at::globalContext().setDeterministicAlgorithms(on, /*warn_only=*/false);
  // Memory that is written before it is read needs no filling.
  at::globalContext().setDeterministicFillUninitializedMemory(false);
  at::globalContext().setDeterministicCuDNN(on);
  at::globalContext().setBenchmarkCuDNN(!on);
}

}  // namespace

Setting whole_config(const Services& services) {
  const void* values =
      services.host->get_service(services.host, {VISSL_VALUE_ID, sizeof(VISSL_VALUE_ID) - 1});
  return {static_cast<const vissl_value_api*>(values), services.config};
}

// AVX-512's bf16 instructions alone do not count: without tiles the casts of autocast cost what
// they gain.
std::string automatic_precision(at::Device device,
                                const std::function<bool(const char* feature)>& cpu_has) {
  return device.is_cuda() || cpu_has("amx_bf16") ? "bf16" : "fp32";
}

Precision resolve_precision(const std::string& name, at::Device device) {
  std::string resolved = name;
  if (name == "auto" || name.empty()) resolved = automatic_precision(device, this_cpu_has);
  Precision precision;
  precision.name = resolved;
  if (resolved == "fp32") return precision;
  if (resolved == "fp64") {
    precision.parameters = at::kDouble;
  } else if (resolved == "bf16") {
    precision.autocast = true;
  } else if (resolved == "fp16") {
    precision.autocast = true;
    precision.autocast_dtype = at::kHalf;
    precision.loss_scaling = true;
  } else {
    throw Error(Exit::usage, "machine.precision is \"" + name +
                                 "\"; use \"auto\", \"fp32\", \"bf16\", \"fp16\" or \"fp64\"");
  }
  return precision;
}

Session::Session(const Services& services, const RunDevice& device)
    : services_(services),
      config_(whole_config(services)),
      device_(device),
      threads_(resolve_threads(config_.integer("machine.threads"), services.ranks.core_share)),
      deterministic_(config_.boolean("machine.deterministic")) {
  precision_ = resolve_precision(config_.string("machine.precision"), device_.device);
  if (precision_.loss_scaling && device_.device.is_cpu())
    log(LogLevel::warning,
        "machine.precision is \"fp16\" on a CPU, where it is slow and only good for tests; use "
        "\"bf16\", \"fp32\" or \"auto\"");
  constexpr int kMany = 2;  // times the cores
  if (const int cores = usable_cores(); threads_ > kMany * cores && services.ranks.rank == 0)
    log(LogLevel::warning, "machine.threads is " + std::to_string(threads_) +
                               ", but this process may use " + counted(cores, "core") +
                               "; threads without a core hold up the others, set 0 for one per "
                               "core");
  at::set_num_threads(threads_);
  set_determinism(deterministic_);
  Context& shared = context();
  shared.device = device_.device;
  shared.crash_place = services.crash_place;
  shared.parameters = precision_.parameters;
  shared.autocast = precision_.autocast;
  shared.autocast_dtype = precision_.autocast_dtype;
  seed_process();
}

std::string Session::device_name() const {
  return cuda() == nullptr ? "cpu" : cuda()->gpu(device().index()).name;
}

std::int64_t Session::peak_memory_mib() const {
  constexpr std::int64_t kMib = 1 << 20;
  return cuda() == nullptr ? -1 : cuda()->peak_bytes(device().index()) / kMib;
}

void Session::seed_process() {
  const int64_t seed = (config_.integer("seed_value") + collectives().rank()) *
                       config_.integer("optimizer.num_epochs");
  at::Generator cpu = at::globalContext().defaultGenerator(at::kCPU);
  cpu.set_current_seed(static_cast<uint64_t>(seed));
  if (device_.device.is_cuda()) default_generator().set_current_seed(static_cast<uint64_t>(seed));
}

}  // namespace vissl::host
