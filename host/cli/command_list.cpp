#include "host/cli/commands.hpp"
#include "host/cli/json_text.hpp"
#include "host/plugin/kinds.hpp"

namespace vissl::host {
namespace {

std::string json_files(const PluginCatalogue& catalogue) {
  std::string out;
  for (const PluginFile& file : catalogue.files())
    out += (out.empty() ? "\n" : ",\n") + std::string("    {\"path\": ") + json_quoted(file.path) +
           ", \"id\": " + json_quoted(file.id) + ", \"version\": " + json_quoted(file.version) +
           ", \"abi\": \"" + std::to_string(file.abi_major) + "." + std::to_string(file.abi_minor) +
           "\", \"problem\": " + (file.problem.empty() ? "null" : json_quoted(file.problem)) + "}";
  return out;
}

std::string json_text(const PluginCatalogue& catalogue) {
  std::string out = "{\n  \"components\": [";
  bool first = true;
  for (const CatalogueEntry& entry : catalogue.entries()) {
    std::string files;
    for (const std::string& file : entry.files)
      files += (files.empty() ? "" : ", ") + json_quoted(file);
    out += (first ? "\n" : ",\n") + std::string("    {\"kind\": ") + json_quoted(entry.kind) +
           ", \"name\": " + json_quoted(entry.name) +
           ", \"sentence\": " + json_quoted(entry.sentence) + ", \"files\": [" + files + "]}";
    first = false;
  }
  return out + "\n  ],\n  \"files\": [" + json_files(catalogue) + "\n  ]\n}\n";
}

// The host's kinds in the order in which data runs through them, then those that it does not know.
std::vector<std::string> kind_order(const std::vector<CatalogueEntry>& entries) {
  std::vector<std::string> order;
  for (const Kind& kind : kinds()) order.emplace_back(kind.name);
  for (const CatalogueEntry& entry : entries)
    if (find_kind(entry.kind) == nullptr && (order.empty() || order.back() != entry.kind))
      order.push_back(entry.kind);
  return order;
}

}  // namespace

int list_command(const CommandContext& context) {
  Session session(context);
  const PluginCatalogue& catalogue = session.catalogue();
  if (context.options.json) {
    print(json_text(catalogue));
    return 0;
  }
  const std::vector<CatalogueEntry> entries = catalogue.entries();
  std::vector<std::vector<std::string>> rows;
  for (const std::string& kind : kind_order(entries)) {
    std::string shown = kind;  // once per kind
    for (const CatalogueEntry& entry : entries) {
      if (entry.kind != kind) continue;
      const std::string twice =
          entry.files.size() > 1
              ? "in " + std::to_string(entry.files.size()) + " files: cannot be used"
              : "";
      rows.push_back({shown, entry.name, twice.empty() ? entry.sentence : twice});
      shown.clear();
    }
  }
  print(context.out.table(rows, {Style::dim, Style::bold}));
  for (const PluginFile& file : catalogue.files())
    if (!file.problem.empty())
      context.log.log(LogLevel::warning, "plugin '" + file.path + "' " + file.problem);
  if (rows.empty())
    context.log.log(LogLevel::warning, "no plugins found (looked in " + catalogue.searched() + ")");
  return 0;
}

}  // namespace vissl::host
