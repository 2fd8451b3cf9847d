#include "host/runtime/conformance/probes.hpp"

#include <ATen/Parallel.h>

#include <map>

#include "host/plugin/conformance/judged.hpp"
#include "host/runtime/conformance/ledger.hpp"
#include "host/runtime/conformance/model_probes.hpp"
#include "host/runtime/conformance/tables.hpp"

namespace vissl::host {

Verdict run_probe(Catalogue& catalogue, const ProbeRequest& request) {
  using Probe = Verdict (*)(Catalogue&, const ProbeRequest&);
  static const std::map<std::string, Probe> probes = {
      {"forward", probe_forward},
      {"handles", probe_handles},
      {"repeatable", probe_repeatable},
      {"second_instance", probe_second_instance},
      {"global_state", probe_global_state},
      {"gradient", probe_gradient},
      {"own_parameters", probe_own_parameters},
      {"batch_sizes", probe_batch_sizes},
      {"state", probe_state},
      {"operators", probe_operators},
      {"steps", probe_optimizer},
      {"step_state", probe_optimizer_state},
      {"zero_gradient", probe_optimizer_zero},
      {"updates", probe_meter},
      {"split", probe_meter_split},
      {"groups", probe_groups},
  };
  const auto probe = probes.find(request.check);
  if (probe == probes.end())
    throw Error(Exit::run_failed, "check-plugin has no probe '" + request.check + "'");
  if (request.configs.empty())
    throw Error(Exit::run_failed, "a probe was asked for without a config");
  at::set_num_threads(1);
  notes().clear();
  Ledger ledger;
  try {
    return probe->second(catalogue, request);
  } catch (const Judged& judged) {
    return judged.verdict;
  }
}

}  // namespace vissl::host
