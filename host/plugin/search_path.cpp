#include "host/plugin/search_path.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include "host/files/error.hpp"

namespace fs = std::filesystem;

namespace vissl::host {
namespace {

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

std::string canonical_path(const fs::path& path) {
  std::error_code failed;
  const fs::path full = fs::canonical(path, failed);
  return failed ? fs::absolute(path).lexically_normal().string() : full.string();
}

void add(std::vector<std::string>& places, const fs::path& path) {
  const std::string full = canonical_path(path);
  if (std::find(places.begin(), places.end(), full) == places.end()) places.push_back(full);
}

}  // namespace

std::vector<std::string> plugin_places(const std::vector<std::string>& given,
                                       const std::string& variable,
                                       const std::string& executable_folder) {
  std::vector<std::string> places;
  for (const std::string& place : given) {
    if (!is_there(place))
      throw Error(Exit::usage,
                  "--plugins '" + place +
                      "': no such folder; name the folder that holds the plugins' .so files");
    add(places, place);
  }
  for (std::size_t start = 0; start < variable.size();) {
    const std::size_t end = std::min(variable.find(':', start), variable.size());
    const std::string place = variable.substr(start, end - start);
    if (!place.empty() && is_there(place)) add(places, place);
    start = end + 1;
  }
  if (!places.empty() || !given.empty()) return places;
  for (const char* beside : {"plugins", "../lib/vissl/plugins"})
    if (is_there(fs::path(executable_folder) / beside))
      add(places, fs::path(executable_folder) / beside);
  return places;
}

std::vector<PluginFile> discover_plugins(const std::vector<std::string>& places) {
  std::vector<PluginFile> files;
  std::set<std::string> seen;
  for (const std::string& place : places) {
    std::vector<std::string> paths;
    std::error_code failed;
    if (fs::is_directory(place, failed)) {
      for (fs::directory_iterator it(place, failed), end; !failed && it != end;
           it.increment(failed))
        if (it->path().extension() == ".so") paths.push_back(it->path().string());
      std::sort(paths.begin(), paths.end());
      if (failed) {
        PluginFile unreadable;
        unreadable.path = place;
        unreadable.problem = "cannot be read: " + failed.message();
        files.push_back(unreadable);
      }
    } else {
      paths.push_back(place);
    }
    for (const std::string& path : paths)
      if (seen.insert(canonical_path(path)).second) files.push_back(read_plugin_file(path));
  }
  return files;
}

}  // namespace vissl::host
