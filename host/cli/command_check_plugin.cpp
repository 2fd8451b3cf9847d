#include <cstdlib>
#include <filesystem>
#include <vissl_build.hpp>

#include "host/cli/commands.hpp"
#include "host/cli/executable.hpp"
#include "host/cli/json_text.hpp"
#include "host/cli/runtime_loader.hpp"
#include "host/plugin/conformance/kit.hpp"
#include "host/plugin/search_path.hpp"

namespace fs = std::filesystem;

namespace vissl::host {
namespace {

std::string counts_text(const PluginReport& report) {
  std::string out;
  for (const Outcome outcome : {Outcome::ok, Outcome::warn, Outcome::fail, Outcome::skipped})
    if (const std::size_t n = report.count(outcome); n != 0)
      out += (out.empty() ? "" : ", ") + std::to_string(n) + " " + outcome_name(outcome);
  return out;
}

std::string coloured(const Terminal& terminal, Outcome outcome) {
  const Style style = outcome == Outcome::fail   ? Style::red
                      : outcome == Outcome::warn ? Style::yellow
                      : outcome == Outcome::ok   ? Style::green
                                                 : Style::dim;
  return terminal.paint(outcome_name(outcome), style);
}

// Level and component stand in the first row of their block only.
std::string people_text(const PluginReport& report, const Terminal& terminal, bool all) {
  std::vector<std::vector<std::string>> rows;
  std::string level, component;
  for (const Finding& finding : report.findings) {
    if (!all && finding.verdict.outcome == Outcome::ok) continue;
    const bool new_level = finding.level != level;
    const bool new_component = new_level || finding.component != component;
    rows.push_back({"  " + (new_level ? finding.level : std::string()),
                    new_component ? finding.component : "", finding.check,
                    coloured(terminal, finding.verdict.outcome), finding.verdict.text});
    level = finding.level;
    component = finding.component;
  }
  return terminal.paint(report.path, Style::bold) + ": " + counts_text(report) + "\n" +
         terminal.table(rows, {Style::dim, Style::bold, Style::plain});
}

std::string json_text(const PluginReport& report) {
  std::string out = "    {\"path\": " + json_quoted(report.path) +
                    ", \"passed\": " + (report.count(Outcome::fail) == 0 ? "true" : "false") +
                    ", \"checks\": [";
  bool first = true;
  for (const Finding& finding : report.findings) {
    std::string outcome = outcome_name(finding.verdict.outcome);
    if (finding.verdict.outcome == Outcome::fail) outcome = "fail";
    out += (first ? "\n" : ",\n") + std::string("      {\"level\": ") + json_quoted(finding.level) +
           ", \"component\": " +
           (finding.component.empty() ? "null" : json_quoted(finding.component)) +
           ", \"check\": " + json_quoted(finding.check) + ", \"outcome\": " + json_quoted(outcome) +
           ", \"text\": " + json_quoted(finding.verdict.text) + "}";
    first = false;
  }
  return out + "\n    ]}";
}

// The runtime of a child: a model, a store and operators, but no run.
Runtime& open_runtime(HostServices& host, Catalogue& catalogue, Logger& log) {
  static const Value empty = Value::table();
  static Services services{};
  services.build_id = VISSL_BUILD_ID;
  services.host = host.get();
  services.config = &empty;
  services.catalogue = &catalogue;
  services.log = &log;
  services.pending_signal = [] { return 0; };
  return load_runtime(services, executable_folder());
}

void check_given(const std::vector<std::string>& settings) {
  for (const std::string& setting : settings) {
    const std::size_t equals = setting.find('='), dot = setting.find('.');
    if (dot > equals || setting.substr(0, dot).find('/') == std::string::npos)
      throw Error(Exit::usage, "'" + setting +
                                   "' names no parameter; write KIND/NAME.PARAMETER=VALUE, for "
                                   "example head/mlp.dims=[8,4]");
  }
}

}  // namespace

int check_plugin_command(const CommandContext& context) {
  for (const std::string& file : context.options.files)
    if (std::error_code ignored; !fs::exists(file, ignored))
      throw Error(Exit::usage, "'" + file + "': no such file; name the plugin's .so file");
  KitSettings settings;
  settings.places = plugin_places(
      context.options.plugins,
      std::getenv("VISSL_PLUGIN_PATH") != nullptr ? std::getenv("VISSL_PLUGIN_PATH") : "",
      executable_folder());
  settings.limit_seconds = context.options.time_limit;
  settings.given = context.options.settings;
  settings.libtorch = libtorch_of_runtime(executable_folder());
  check_given(settings.given);
  settings.open_runtime = [&](HostServices& host, Catalogue& catalogue) -> Runtime& {
    return open_runtime(host, catalogue, context.log);
  };
  bool passed = true;
  std::string json;
  for (const std::string& file : context.options.files) {
    const PluginReport report = check_plugin(fs::absolute(file).lexically_normal(), settings);
    passed = passed && report.count(Outcome::fail) == 0;
    if (context.options.json)
      json += (json.empty() ? "\n" : ",\n") + json_text(report);
    else
      print(people_text(report, context.out, context.options.log.level != LogLevel::warning));
  }
  if (context.options.json) print("{\n  \"plugins\": [" + json + "\n  ]\n}\n");
  return passed ? 0 : static_cast<int>(Exit::bad_plugin);
}

}  // namespace vissl::host
