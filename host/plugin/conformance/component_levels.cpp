// Runs the checks of components in children.
#include <memory>

#include "host/plugin/conformance/child.hpp"
#include "host/plugin/conformance/contract_checks.hpp"
#include "host/plugin/kinds.hpp"

namespace vissl::host {
namespace {

// What a child keeps from one check to the next.
struct ChildState {
  std::unique_ptr<Bench> bench;
  std::map<std::string, std::unique_ptr<Subject>> subjects;

  Subject& subject(const ComponentText& text) {
    std::unique_ptr<Subject>& slot = subjects[text.kind + "/" + text.name];
    if (!slot) slot = std::make_unique<Subject>(*bench, text.kind, text.name);
    return *slot;
  }
};

Verdict run_check(const SubjectCheck& check, Subject& subject) {
  try {
    if (check.run != nullptr) return check.run(subject);
    ProbeRequest request{subject.kind(), subject.name(), check.check, {}};
    for (const Value* config : subject.configs()) request.configs.push_back(config);
    return subject.bench().runtime().probe(request);
  } catch (const Judged& judged) {
    return judged.verdict;
  }
}

bool applies(const SubjectCheck& check, const std::string& kind) {
  return *check.kinds == '\0' ||
         std::string_view(check.kinds).find("|" + kind + "|") != std::string_view::npos;
}

}  // namespace

std::vector<Finding> check_components(const PluginFile& file, const KitSettings& settings,
                                      const std::string& level_name,
                                      const std::vector<SubjectCheck>& checks, bool needs_runtime,
                                      const std::map<std::string, std::string>& broken) {
  const auto state = std::make_shared<ChildState>();
  ChildLevel level;
  level.level = level_name;
  level.limit_seconds = settings.limit_seconds;
  std::vector<Finding> findings;
  for (const ComponentText& text : file.components) {
    if (find_kind(text.kind) == nullptr) continue;
    const std::string component = text.kind + "/" + text.name;
    needs_runtime = needs_runtime || needs_tensors(text.kind);
    if (const auto found = broken.find(component); found != broken.end()) {
      findings.push_back({level_name,
                          component,
                          "methods",
                          {Outcome::skipped, "needs '" + found->second + "', which failed"}});
      continue;
    }
    for (const SubjectCheck& check : checks)
      if (applies(check, text.kind))
        level.checks.push_back({component, check.check,
                                [=] { return run_check(check, state->subject(text)); },
                                check.needs});
  }
  level.prepare = [=, &file, &settings] {
    state->bench = std::make_unique<Bench>(file, settings);
    // The runtime comes first: its libtorch serves plugins that name one.
    if (needs_runtime) state->bench->runtime();
    // Loading is not what is judged here, nor are the files that stay open.
    for (const ComponentText& text : file.components)
      if (find_kind(text.kind) != nullptr)
        state->bench->catalogue().descriptor(text.kind, text.name);
  };
  if (level.checks.empty()) return findings;
  for (Finding& finding : run_in_children(level)) findings.push_back(std::move(finding));
  return findings;
}

}  // namespace vissl::host
