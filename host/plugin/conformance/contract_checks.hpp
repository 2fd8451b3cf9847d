#pragma once
// Levels "contract" and "behaviour" of check-plugin.
#include <vector>

#include "host/plugin/conformance/subject.hpp"

namespace vissl::host {

// A check of one component; `run` NULL = the runtime's probe of that name.
struct SubjectCheck {
  const char* kinds;  // "|loss|head|"; empty = all
  const char* check;
  Verdict (*run)(Subject& subject);
  const char* needs = "";  // another check of the level that has to pass first
  bool in_a_run = false;   // the runtime's probe needs a whole run
};

// The text of a skipped check that does not concern its component, and is not reported.
inline constexpr const char* kNoConcern = "does not concern the component";

const std::vector<SubjectCheck>& contract_checks();
const std::vector<SubjectCheck>& behaviour_checks();
// Kinds whose components work on tensors.
bool needs_tensors(std::string_view kind);

// Runs the level's checks of every component of the file whose kind this host knows, but those of
// `broken` ("loss/mse" -> the check that failed), which are skipped.
std::vector<Finding> check_components(const PluginFile& file, const KitSettings& settings,
                                      const std::string& level,
                                      const std::vector<SubjectCheck>& checks, bool needs_runtime,
                                      const std::map<std::string, std::string>& broken = {});

}  // namespace vissl::host
