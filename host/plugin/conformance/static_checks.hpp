#pragma once
// Level "static" of check-plugin: what a file says about itself; none of its code runs.
#include <string>
#include <vector>

#include "host/plugin/conformance/elf_facts.hpp"
#include "host/plugin/conformance/finding.hpp"
#include "host/plugin/metadata.hpp"

namespace vissl::host {

struct StaticResult {
  std::vector<Finding> findings;
  bool loadable = false;       // worth opening: header, metadata and entry are right
  bool needs_runtime = false;  // uses libtorch itself, so it is opened after the runtime
};

// `misfit`: what is wrong with the libtorch that the file was compiled for, empty = nothing
// (HostServices::misfit).
StaticResult static_checks(const PluginFile& file, const std::string& misfit);

}  // namespace vissl::host
