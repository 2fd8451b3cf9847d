#include "host/config/resolve.hpp"

#include <filesystem>

#include "host/config/check.hpp"
#include "host/config/infer.hpp"
#include "host/config/layers.hpp"
#include "host/config/overrides.hpp"
#include "host/files/error.hpp"

namespace vissl::host {
namespace {

constexpr int kMostRounds = 16;  // an honest chain of inferences is three or four long

void name_run_folder(Value& root, const std::vector<std::string>& files) {
  Value* dir = root.find("checkpoint")->find("dir");
  if (!dir->is_text() || !dir->as_text().empty()) return;
  const std::string stem =
      files.empty() ? "run" : std::filesystem::path(files.back()).stem().string();
  *dir = Value::text("runs/" + stem, dir->origin());
}

// `name_folder` acts between filling in and inference, once per round.
template <class NameFolder>
std::vector<std::string> complete(Value& root, Schemas& schemas, NameFolder&& name_folder) {
  Checker checker(schemas);
  for (int round = 0;; ++round) {
    checker.walk(root, /*strict=*/false);
    name_folder();
    if (!infer_once(root, checker.components())) break;
    if (round == kMostRounds)
      throw Error(Exit::usage,
                  "the components of this config change each other's settings without end; set the "
                  "values that 'show config "
                  "--origins' calls inferred");
  }
  checker.walk(root, /*strict=*/true);
  check_requirements(root, checker.components());
  return checker.warnings();
}

}  // namespace

std::vector<std::string> complete_config(Value& root, DeclarationIndex& index) {
  Schemas schemas(index);
  return complete(root, schemas, [] {});
}

ResolvedConfig resolve_config(const std::vector<std::string>& files,
                              const std::vector<std::string>& settings, DeclarationIndex& index) {
  ResolvedConfig config;
  config.root = std::make_unique<Value>(load_layers(files, config.notes));
  Value& root = *config.root;
  Schemas schemas(index);
  for (const std::string& setting : settings)
    apply_override(root, parse_override(setting), schemas, config.notes);

  config.warnings = complete(root, schemas, [&] {
    if (const Value* checkpoint = root.find("checkpoint"); checkpoint->is_table())
      name_run_folder(root, files);
  });
  return config;
}

}  // namespace vissl::host
