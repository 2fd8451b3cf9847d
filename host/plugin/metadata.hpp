#pragma once
// Reads what a plugin file says about itself without loading it: the texts of its ELF section
// ".vissl_meta" (abi.h).
#include <cstdint>
#include <string>
#include <vector>

namespace vissl::host {

struct ComponentText {
  std::string kind;
  std::string name;
  std::string sentence;
};

// One file of the search path. `problem` is empty when the file can be loaded; else it completes
// "plugin 'FILE' …" and holds the remedy. A file with a problem still lists the components that
// could be read.
struct PluginFile {
  std::string path;  // absolute
  std::string id;
  std::string version;
  std::uint32_t abi_major = 0;
  std::uint32_t abi_minor = 0;
  std::vector<ComponentText> components;
  std::string problem;
  bool needs_libtorch = false;  // libtorch must be open before it
  std::string native;           // the libtorch that it was compiled for; empty = any
};

// Never throws for the file's sake: whatever is wrong with it becomes `problem`.
PluginFile read_plugin_file(const std::string& path);

}  // namespace vissl::host
