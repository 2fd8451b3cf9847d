#pragma once
// Which attributes of a TorchScript program's classes are parameters and buffers.
#include <set>
#include <string>
#include <unordered_map>

#include "host/files/zip_reader.hpp"

namespace vissl::host {

// Class ("__torch__.net.Net") -> names of its parameters and buffers, as the program's text lists
// them; nothing of the text is run. `root` is the one folder inside the zip file. Text that cannot
// be understood, or lists no buffers (releases 1.4 and 1.5), leaves its classes out.
using ScriptNames = std::unordered_map<std::string, std::set<std::string>>;
ScriptNames torch_script_names(const ZipReader& zip, const std::string& root);

}  // namespace vissl::host
