// Runs the checks of components in children.
#include <stdlib.h>
#include <vissl/events.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "host/plugin/conformance/child.hpp"
#include "host/plugin/conformance/contract_checks.hpp"
#include "host/plugin/conformance/stand_in_config.hpp"
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

// A folder for the runs of a child, removed by the parent whatever became of the child.
class RunsFolder {
 public:
  explicit RunsFolder(bool needed) {
    if (!needed) return;
    std::string name = (std::filesystem::temp_directory_path() / "vissl-check-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      throw Error(Exit::run_failed, "cannot make the folder '" + name + "' for a small run");
    path_ = name;
  }
  RunsFolder(const RunsFolder&) = delete;
  RunsFolder& operator=(const RunsFolder&) = delete;
  ~RunsFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

bool offers_events(Subject& subject) {
  const vissl_component& component = subject.component();
  const std::string_view id = VISSL_EVENTS_ID;
  return component.size >= sizeof(vissl_component) && component.get_extension != nullptr &&
         component.get_extension({id.data(), id.size()}) != nullptr;
}

// A loss that offers events, or whose forward takes none of the kit's inputs, is judged in a small
// run, any other by its forward. What to say of the check for this reason alone; ok = make it.
Verdict way_of_loss(const SubjectCheck& check, Subject& subject, ProbeRequest request) {
  const Verdict absent{Outcome::skipped, kNoConcern};
  if (offers_events(subject)) return check.in_a_run ? Verdict{} : absent;
  request.check = "case";
  const Verdict found = subject.bench().runtime().probe(request);
  const bool by_forward = found.outcome != Outcome::skipped;
  if (by_forward != check.in_a_run) return {};
  const bool first = std::string_view(check.check) == "forward";
  return !by_forward && first ? found : absent;
}

// `folder`: where a run may leave its files.
Verdict run_check(const SubjectCheck& check, Subject& subject, const std::string& folder) {
  try {
    if (check.run != nullptr) return check.run(subject);
    ProbeRequest request{subject.kind(), subject.name(), check.check, {}, nullptr};
    for (const Value* config : subject.configs()) request.configs.push_back(config);
    if (subject.kind() == "loss")
      if (const Verdict way = way_of_loss(check, subject, request); way.outcome != Outcome::ok)
        return way;
    if (!check.in_a_run) return subject.bench().runtime().probe(request);
    const std::unique_ptr<Value> config = stand_in_config(subject, folder);
    request.run_config = config.get();
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
  const RunsFolder folder(
      level_name == "behaviour" &&
      std::any_of(file.components.begin(), file.components.end(),
                  [](const ComponentText& text) { return may_act_in_a_run(text.kind); }));
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
        level.checks.push_back(
            {component, check.check,
             [=, folder = folder.path()] { return run_check(check, state->subject(text), folder); },
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
  for (Finding& finding : run_in_children(level))
    if (finding.verdict.text != kNoConcern) findings.push_back(std::move(finding));
  return findings;
}

}  // namespace vissl::host
