#include "host/plugin/conformance/kit.hpp"

#include <algorithm>

#include "host/plugin/conformance/contract_checks.hpp"
#include "host/plugin/conformance/load_checks.hpp"
#include "host/plugin/conformance/process_state.hpp"
#include "host/plugin/conformance/static_checks.hpp"

namespace vissl::host {
namespace {

bool is_state_check(const std::string& check) {
  const std::vector<std::string>& names = state_check_names();
  return std::find(names.begin(), names.end(), check) != names.end();
}

}  // namespace

PluginReport check_plugin(const std::string& path, const KitSettings& settings) {
  PluginReport report;
  report.path = path;
  const auto add = [&](std::vector<Finding> findings) {
    for (Finding& finding : findings) report.findings.push_back(std::move(finding));
  };
  const PluginFile file = read_plugin_file(path);
  HostServices own;
  own.offer_libtorch(settings.libtorch);
  const StaticResult fixed = static_checks(file, own.misfit(file));
  add(fixed.findings);
  if (!fixed.loadable) {
    report.findings.push_back(
        {"load", "", "open", {Outcome::skipped, "the file itself is wrong, see above"}});
    return report;
  }
  const auto host = [&]() -> const vissl_host* {
    // As long as the child; a plugin that names libtorch is opened after the runtime, as in a run.
    static Bench* const bench = new Bench(file, settings);
    if (fixed.needs_runtime) bench->runtime();
    return bench->host();
  };
  std::vector<Finding> loaded = load_checks({file, host, settings.limit_seconds});
  const bool usable = std::none_of(loaded.begin(), loaded.end(), [](const Finding& finding) {
    return finding.verdict.outcome != Outcome::ok && finding.verdict.outcome != Outcome::warn &&
           !is_state_check(finding.check);
  });
  add(std::move(loaded));
  if (!usable) {
    report.findings.push_back(
        {"contract", "", "create", {Outcome::skipped, "the plugin cannot be loaded, see above"}});
    return report;
  }
  std::vector<Finding> contract =
      check_components(file, settings, "contract", contract_checks(), fixed.needs_runtime);
  std::map<std::string, std::string> broken;
  for (const Finding& finding : contract)
    if (finding.verdict.outcome == Outcome::fail &&
        (finding.check == "declaration" || finding.check == "methods" || finding.check == "create"))
      broken.emplace(finding.component, finding.check);
  add(std::move(contract));
  add(check_components(file, settings, "behaviour", behaviour_checks(), fixed.needs_runtime,
                       broken));
  return report;
}

}  // namespace vissl::host
