#include <algorithm>

#include "host/cli/commands.hpp"
#include "host/config/key_reference.hpp"
#include "host/plugin/kinds.hpp"

namespace vissl::host {

int show_keys_command(const CommandContext& context) {
  Session session(context);
  PluginCatalogue& catalogue = session.catalogue();
  std::vector<CatalogueEntry> entries = catalogue.entries();
  const auto place = [](const std::string& kind) {
    const auto known = kinds();
    return std::find_if(known.begin(), known.end(),
                        [&](const Kind& candidate) { return candidate.name == kind; }) -
           known.begin();
  };
  std::stable_sort(entries.begin(), entries.end(),
                   [&](const CatalogueEntry& a, const CatalogueEntry& b) {
                     return std::pair(place(a.kind), a.name) < std::pair(place(b.kind), b.name);
                   });
  std::vector<const Declaration*> components;
  for (const CatalogueEntry& entry : entries) {
    try {
      if (const Declaration* found = catalogue.find(entry.kind, entry.name, ""))
        components.push_back(found);
    } catch (const Error& error) {
      context.log.log(LogLevel::warning, error.what());
    }
  }
  print(key_reference(components));
  return 0;
}

}  // namespace vissl::host
