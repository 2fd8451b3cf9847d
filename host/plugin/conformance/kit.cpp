#include "host/plugin/conformance/kit.hpp"

#include <filesystem>

#include "host/config/schema.hpp"
#include "host/plugin/conformance/load_checks.hpp"
#include "host/plugin/conformance/static_checks.hpp"

namespace vissl::host {
PluginReport check_plugin(const std::string& path, const KitSettings& settings) {
  PluginReport report;
  report.path = path;
  const auto add = [&](std::vector<Finding> findings) {
    for (Finding& finding : findings) report.findings.push_back(std::move(finding));
  };
  const PluginFile file = read_plugin_file(path);
  const StaticResult fixed = static_checks(file);
  add(fixed.findings);
  if (!fixed.loadable) {
    report.findings.push_back(
        {"load", "", "open", {Outcome::skipped, "the file itself is wrong, see above"}});
    return report;
  }
  const auto host = [&]() -> const vissl_host* {
    static HostServices* const services = new HostServices();  // as long as the child
    return services->get();
  };
  add(load_checks({file, host, settings.limit_seconds}));
  return report;
}

}  // namespace vissl::host
