#include "host/cli/config_changes.hpp"

#include <map>

#include "host/cli/origins.hpp"
#include "host/config/toml_read.hpp"
#include "host/config/toml_text.hpp"

namespace vissl::host {
namespace {

bool counts(const std::string& path) {
  if (path.starts_with("checkpoint.") || path.ends_with(".num_workers")) return false;
  for (const char* other :
       {"log_frequency", "machine.device", "machine.threads", "machine.precision"})
    if (path == other) return false;
  return true;
}

}  // namespace

std::vector<ConfigChange> config_changes(const std::string& stored, const Value& now) {
  const Value before = parse_toml(stored, "the stored config");
  std::map<std::string, const Value*> old;
  for (const auto& [path, value] : leaves(before))
    if (counts(path)) old.emplace(path, value);
  std::vector<ConfigChange> changes;
  for (const auto& [path, value] : leaves(now)) {
    const auto found = old.find(path);
    if (found == old.end()) {
      if (counts(path) && value->origin().by_user())
        changes.push_back({path, "", inline_toml(*value)});
      continue;
    }
    if (!same(*found->second, *value))
      changes.push_back({path, inline_toml(*found->second), inline_toml(*value)});
    old.erase(found);
  }
  for (const auto& [path, value] : old) changes.push_back({path, inline_toml(*value), ""});
  return changes;
}

}  // namespace vissl::host
