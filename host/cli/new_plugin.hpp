#pragma once
// The files of a new plugin, made from the templates of sdk/templates.
#include <string>
#include <string_view>
#include <vector>

namespace vissl::host {

struct NewFile {
  std::string name;  // within the plugin's folder
  std::string text;
};

// Source, test, CMakeLists.txt and README.md of a component `name` of kind `kind`. Throws
// Error(Exit::usage) for an unknown kind, and for a name that cannot stand in a config, in C++ and
// in CMake alike.
std::vector<NewFile> new_plugin_files(std::string_view kind, const std::string& name);

// Writes the files into `folder`, which is made when it is not there. Nothing is overwritten: if
// one of them exists already, Error(Exit::usage) names it and none is written.
void write_new_files(const std::string& folder, const std::vector<NewFile>& files);

}  // namespace vissl::host
