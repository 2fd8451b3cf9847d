#pragma once
// The config of the small run in which hooks, engines and some losses are judged: everything around
// the component is a stand-in of the host's (host/runtime/conformance/stand_ins.hpp).
#include <memory>
#include <string>

#include "host/plugin/conformance/subject.hpp"

namespace vissl::host {

// Whether components of a kind may have to be judged inside a run.
inline bool may_act_in_a_run(std::string_view kind) {
  return kind == "hook" || kind == "engine" || kind == "loss";
}

// A complete config that names the component, with `folder` as the folder of the run. Judges
// "skipped" when the component asks for what a stand-in cannot be.
std::unique_ptr<Value> stand_in_config(Subject& subject, const std::string& folder);

}  // namespace vissl::host
