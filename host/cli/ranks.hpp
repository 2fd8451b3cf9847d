#pragma once
// Which rank of a distributed run this process is: from options, torchrun's variables or SLURM's.
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "host/boundary.hpp"

namespace vissl::host {

// --rank, --world-size, --rendezvous; --nproc is not here, because its children get torchrun's
// variables.
struct RankOptions {
  std::optional<int> rank, world;
  std::string rendezvous;  // "host:port", empty = not given
};

// Value of an environment variable, NULL = not set.
using Environment = std::function<const char*(const char*)>;

// One rank when nothing says otherwise: also in a SLURM job with one task, and in a batch script
// outside of srun. Throws Error(usage) that names the option or variable which is missing or wrong.
Ranks find_ranks(const RankOptions& options, const Environment& environment);

// Whether what started this process ends the other ranks when this one fails: --nproc and torchrun
// do, srun does not by itself.
bool has_supervisor(const Environment& environment);

// Returns when the host of rank 0 has an address. Throws Error(distributed) that names host and
// origin when it has none for `patience`: names may come up with their machines.
void await_address(const Ranks& ranks, std::chrono::milliseconds patience);

// The first host of SLURM's lists: "node[07-09,12],other" -> "node07". Empty for an empty list.
std::string first_host(std::string_view list);

}  // namespace vissl::host
