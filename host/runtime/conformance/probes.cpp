#include "host/runtime/conformance/probes.hpp"

#include <ATen/Parallel.h>

#include <map>

#include "host/plugin/conformance/judged.hpp"
#include "host/runtime/conformance/ledger.hpp"
#include "host/runtime/conformance/model_probes.hpp"
#include "host/runtime/conformance/tables.hpp"

namespace vissl::host {

Verdict run_probe(const Services& services, const ProbeRequest& request) {
  using Probe = Verdict (*)(Catalogue&, const ProbeRequest&);
  static const std::map<std::string, Probe> probes = {
      {"case", probe_case},
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
  using RunProbe = Verdict (*)(const Services&, const ProbeRequest&);
  static const std::map<std::string, RunProbe> run_probes = {
      {"run", probe_run},
      {"same_run", probe_same_run},
      {"run_handles", probe_run_handles},
      {"run_global_state", probe_run_global_state},
      {"resume", probe_resume},
  };
  const auto probe = probes.find(request.check);
  const auto run_probe = run_probes.find(request.check);
  if (probe == probes.end() && (run_probe == run_probes.end() || request.run_config == nullptr))
    throw Error(Exit::run_failed, "check-plugin has no probe '" + request.check + "'");
  if (request.configs.empty())
    throw Error(Exit::run_failed, "a probe was asked for without a config");
  at::set_num_threads(1);
  notes().clear();
  Ledger ledger;
  try {
    return probe != probes.end() ? probe->second(*services.catalogue, request)
                                 : run_probe->second(services, request);
  } catch (const Judged& judged) {
    return judged.verdict;
  }
}

}  // namespace vissl::host
