#include <algorithm>

#include "host/cli/commands.hpp"
#include "host/cli/json_text.hpp"
#include "host/config/suggest.hpp"
#include "host/config/toml_text.hpp"

namespace vissl::host {
namespace {

const Declaration& find_subject(PluginCatalogue& catalogue, const std::string& subject) {
  const std::size_t slash = subject.find('/');
  std::vector<std::string> known;
  for (const CatalogueEntry& entry : catalogue.entries())
    known.push_back(entry.kind + "/" + entry.name);
  if (slash != std::string::npos)
    if (const Declaration* found =
            catalogue.find(subject.substr(0, slash), subject.substr(slash + 1), ""))
      return *found;
  // A bare name, or one of another kind.
  std::vector<std::string> near = near_names(subject, known);
  if (near.empty()) {
    const std::string name = subject.substr(slash == std::string::npos ? 0 : slash + 1);
    std::copy_if(known.begin(), known.end(), std::back_inserter(near),
                 [&](const std::string& candidate) { return candidate.ends_with("/" + name); });
  }
  std::string hint;
  for (const std::string& candidate : near)
    hint += (hint.empty() ? "; did you mean '" : " or '") + candidate + "'";
  throw Error(Exit::usage,
              "there is no component '" + subject + "'" +
                  (hint.empty() ? "; 'vissl-host list' shows what there is" : hint + "?") +
                  " (looked in " + catalogue.searched() + ")");
}

std::string default_text(const Param& param) {
  if (param.has(VISSL_P_REQUIRED)) return "required";
  return param.fallback ? inline_toml(*param.fallback) : "optional";
}

std::string allowed_text(const Requirement& requirement) {
  std::string out;
  for (const std::string& value : requirement.allowed) out += (out.empty() ? "" : " or ") + value;
  return out.empty() ? "any value" : out;
}

std::string people_text(const Declaration& d, const Terminal& terminal) {
  std::string out = terminal.paint(d.kind + "/" + d.name, Style::bold) + "  " + d.sentence + "\n";
  out += "from " + d.plugin_id + (d.plugin_version.empty() ? "" : " " + d.plugin_version) +
         (d.file == d.plugin_id ? "" : ", " + d.file) + "\n";
  if (d.params.empty()) return out + "\nIt has no parameters.\n";
  std::vector<std::vector<std::string>> rows;
  for (const Param& param : d.params) {
    std::string doc = param.doc;
    if (param.has(VISSL_P_DEPRECATED)) doc = "Deprecated: " + doc;
    if (!param.vissl_key.empty()) doc += " VISSL: " + param.vissl_key;
    rows.push_back({"  " + param.name, default_text(param), expectation(param), doc});
  }
  out +=
      "\n" + terminal.paint("Parameters", Style::bold) + "\n" + terminal.table(rows, {Style::cyan});
  rows.clear();
  for (const Derivation& x : d.derivations)
    rows.push_back(
        {"  " + x.name, "is " + x.from + (x.strict ? ", and nothing else" : " unless it is set")});
  for (const Implication& x : d.implications)
    rows.push_back({"  " + x.path, "becomes " + inline_toml(x.value) + " unless it is set"});
  for (const Requirement& x : d.requirements)
    rows.push_back({"  " + x.path,
                    "must be " + allowed_text(x) + (x.why.empty() ? "" : ", because " + x.why)});
  if (!rows.empty())
    out += "\n" + terminal.paint("With the rest of the config", Style::bold) + "\n" +
           terminal.table(rows, {Style::cyan});
  return out;
}

std::string json_param(const Param& param) {
  std::string choices;
  for (const std::string& choice : param.choices)
    choices += (choices.empty() ? "" : ", ") + json_quoted(choice);
  return "    {\"name\": " + json_quoted(param.name) +
         ", \"accepts\": " + json_quoted(expectation(param)) +
         ", \"required\": " + (param.has(VISSL_P_REQUIRED) ? "true" : "false") +
         ", \"default\": " + (param.fallback ? to_json(*param.fallback, -1) : "null") +
         ", \"choices\": [" + choices + "], \"doc\": " + json_quoted(param.doc) +
         ", \"vissl_key\": " + json_quoted(param.vissl_key) + "}";
}

std::string json_text(const Declaration& d) {
  std::string out = "{\n  \"kind\": " + json_quoted(d.kind) +
                    ",\n  \"name\": " + json_quoted(d.name) +
                    ",\n  \"sentence\": " + json_quoted(d.sentence) +
                    ",\n  \"plugin\": " + json_quoted(d.plugin_id) +
                    ",\n  \"version\": " + json_quoted(d.plugin_version) +
                    ",\n  \"file\": " + json_quoted(d.file) + ",\n  \"params\": [";
  for (std::size_t i = 0; i < d.params.size(); ++i)
    out += (i == 0 ? "\n" : ",\n") + json_param(d.params[i]);
  return out + (d.params.empty() ? "" : "\n  ") + "]\n}\n";
}

}  // namespace

int describe_command(const CommandContext& context) {
  Session session(context);
  const Declaration& declaration = find_subject(session.catalogue(), context.options.subject);
  print(context.options.json ? json_text(declaration) : people_text(declaration, context.out));
  return 0;
}

}  // namespace vissl::host
