#include "host/cli/ranks.hpp"

#include <netdb.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <thread>

namespace vissl::host {
namespace {

constexpr int kDefaultPort = 29500;  // torchrun's
constexpr const char* kAddress = "MASTER_ADDR";
// Ports of SLURM jobs lie below those that the kernel gives to outgoing connections.
constexpr int kFirstJobPort = 15000, kJobPorts = 15000;

[[noreturn]] void refuse(const std::string& text) {
  throw Error(Exit::usage, text);
}

std::int64_t whole_number(const std::string& name, std::string_view text, std::int64_t min,
                          std::int64_t max) {
  std::int64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size() || value < min ||
      value > max)
    refuse(name + " is '" + std::string(text) + "'; it must be an integer from " +
           std::to_string(min) + " to " + std::to_string(max));
  return value;
}

constexpr std::int64_t kMostRanks = 1'000'000;
constexpr std::chrono::milliseconds kNextLookUp{500};

class Variables {
 public:
  explicit Variables(const Environment& environment) : environment_(environment) {}
  std::string text(const char* name) const {
    const char* value = environment_(name);
    return value != nullptr ? value : "";
  }
  bool has(const char* name) const { return !text(name).empty(); }
  std::int64_t number(const char* name, std::int64_t fallback, std::int64_t min = 0,
                      std::int64_t max = kMostRanks) const {
    const std::string value = text(name);
    return value.empty() ? fallback
                         : whole_number("the environment's " + std::string(name), value, min, max);
  }

 private:
  const Environment& environment_;
};

void set_rendezvous(Ranks& ranks, const std::string& place, const std::string& name) {
  const std::size_t colon = place.rfind(':');
  if (colon == std::string::npos || colon == 0)
    refuse(name + " is '" + place + "'; it must be HOST:PORT of rank 0");
  ranks.address = place.substr(0, colon);
  ranks.address_from = name;
  ranks.port = static_cast<int>(whole_number(name, place.substr(colon + 1), 1, 65535));
}

Ranks from_options(const RankOptions& options, const Variables& variables) {
  if (!options.rank || !options.world)
    refuse("--rank and --world-size belong together; give both, or none of them");
  Ranks ranks;
  ranks.rank = *options.rank;
  ranks.world = *options.world;
  ranks.local_rank = variables.number("LOCAL_RANK", ranks.rank);
  ranks.local_world = variables.number("LOCAL_WORLD_SIZE", 0);
  if (!options.rendezvous.empty())
    set_rendezvous(ranks, options.rendezvous, "--rendezvous");
  else if (ranks.world > 1)
    refuse("--world-size " + std::to_string(ranks.world) +
           " needs --rendezvous HOST:PORT, where rank 0 listens");
  return ranks;
}

Ranks from_torchrun(const Variables& variables) {
  if (!variables.has("RANK"))
    refuse("the environment has WORLD_SIZE but no RANK; set both, as torchrun does, or none");
  Ranks ranks;
  ranks.rank = variables.number("RANK", 0);
  ranks.world = variables.number("WORLD_SIZE", 1, 1);
  ranks.local_rank = variables.number("LOCAL_RANK", 0);
  ranks.local_world = variables.number("LOCAL_WORLD_SIZE", 0);
  ranks.address = variables.text(kAddress);
  ranks.address_from = kAddress;
  if (ranks.address.empty() && ranks.world > 1)
    refuse("the environment has WORLD_SIZE but no MASTER_ADDR; set it to the host of rank 0");
  ranks.port = static_cast<int>(variables.number("MASTER_PORT", kDefaultPort, 1, 65535));
  return ranks;
}

Ranks from_slurm(const Variables& variables) {
  Ranks ranks;
  ranks.world = variables.number("SLURM_NTASKS", 1, 1);
  if (variables.has("SLURM_STEP_NUM_TASKS"))
    ranks.world = variables.number("SLURM_STEP_NUM_TASKS", 1, 1);
  if (ranks.world == 1) return {};
  ranks.rank = variables.number("SLURM_PROCID", 0);
  ranks.local_rank = variables.number("SLURM_LOCALID", 0);
  const std::int64_t nodes =
      variables.number("SLURM_STEP_NUM_NODES", variables.number("SLURM_NNODES", 0));
  if (nodes == 1) ranks.local_world = ranks.world;
  for (const char* name :
       {kAddress, "SLURM_STEP_NODELIST", "SLURM_NODELIST", "SLURM_JOB_NODELIST"}) {
    if (!ranks.address.empty()) break;
    ranks.address = first_host(variables.text(name));
    ranks.address_from = name;
  }
  if (ranks.address.empty())
    refuse("SLURM started " + std::to_string(ranks.world) +
           " tasks but SLURM_NODELIST names no host; give --rendezvous HOST:PORT, --rank and "
           "--world-size");
  constexpr std::int64_t kAny = INT64_MAX;
  const std::int64_t job =
      variables.number("SLURM_JOB_ID", variables.number("SLURM_JOBID", 0, 0, kAny), 0, kAny);
  // Steps of one job that run side by side must not meet.
  const std::int64_t step = variables.number("SLURM_STEP_ID", 0, 0, kAny);
  ranks.port =
      kFirstJobPort + static_cast<int>((job % kJobPorts + step % kJobPorts * 101) % kJobPorts);
  ranks.port = static_cast<int>(variables.number("MASTER_PORT", ranks.port, 1, 65535));
  return ranks;
}

// A batch script has the variables of a task, but is only one process.
bool in_batch_script(const Variables& variables) {
  return variables.text("ENVIRONMENT") == "BATCH" && !variables.has("SLURM_STEP_ID");
}

}  // namespace

std::string first_host(std::string_view list) {
  const std::size_t bracket = list.find('['), comma = list.find(',');
  if (bracket == std::string_view::npos || comma < bracket)
    return std::string(list.substr(0, comma));
  const std::size_t close = list.find(']', bracket);
  const std::string_view inside = list.substr(bracket + 1, close - bracket - 1);
  std::string host(list.substr(0, bracket));
  host += inside.substr(0, inside.find_first_of(",-"));
  // Further brackets of the same name: "rack[1-2]node[0-3]".
  const std::string_view rest =
      close == std::string_view::npos ? std::string_view() : list.substr(close + 1);
  return host + (rest.empty() || rest[0] == ',' ? "" : first_host(rest));
}

Ranks find_ranks(const RankOptions& options, const Environment& environment) {
  const Variables variables(environment);
  Ranks ranks;
  if (options.rank || options.world || !options.rendezvous.empty())
    ranks = from_options(options, variables);
  else if (variables.has("WORLD_SIZE"))
    ranks = from_torchrun(variables);
  else if (variables.has("SLURM_PROCID") && !in_batch_script(variables))
    ranks = from_slurm(variables);
  if (ranks.rank >= ranks.world)
    refuse("this process is rank " + std::to_string(ranks.rank) + " of " +
           std::to_string(ranks.world) + "; ranks count from 0, so the last one is " +
           std::to_string(ranks.world - 1));
  // SLURM gives each task cores of its own; other launchers let all ranks use all cores.
  if (!variables.has("SLURM_STEP_ID") || variables.has("LOCAL_WORLD_SIZE"))
    ranks.core_share = std::max<std::int64_t>(1, ranks.local_world);
  const std::string listener = variables.text("VISSL_RENDEZVOUS_FD");
  if (!listener.empty() && ranks.rank == 0)
    ranks.listener = static_cast<int>(whole_number("VISSL_RENDEZVOUS_FD", listener, 0, 1'000'000));
  return ranks;
}

bool has_supervisor(const Environment& environment) {
  return environment("VISSL_RENDEZVOUS_FD") != nullptr ||
         environment("TORCHELASTIC_RUN_ID") != nullptr;
}

void await_address(const Ranks& ranks, std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  for (;;) {
    addrinfo* found = nullptr;
    const int failure = ::getaddrinfo(ranks.address.c_str(), nullptr, nullptr, &found);
    if (failure == 0) return ::freeaddrinfo(found);
    if (std::chrono::steady_clock::now() >= until)
      throw Error(Exit::distributed,
                  "the host of rank 0, '" + ranks.address + "' by " + ranks.address_from +
                      ", has no address that this machine knows (" + ::gai_strerror(failure) +
                      "); give a name or an address that every rank's machine knows in " +
                      (ranks.address_from.starts_with("--") ? ranks.address_from : kAddress));
    std::this_thread::sleep_for(kNextLookUp);
  }
}

}  // namespace vissl::host
