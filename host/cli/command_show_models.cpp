#include "host/cli/commands.hpp"
#include "host/cli/json_text.hpp"
#include "host/cli/shown_models.hpp"

namespace vissl::host {
namespace {

std::string json_text(const std::vector<ShownModel>& models) {
  std::string networks, weights;
  for (const ShownModel& model : models) {
    std::string& list = model.is_network ? networks : weights;
    list +=
        (list.empty() ? "\n" : ",\n") + std::string("    {\"name\": ") + json_quoted(model.name);
    if (model.is_network)
      list += ", \"sentence\": " + json_quoted(model.text) + "}";
    else
      list += ", \"place\": " + json_quoted(model.text) +
              ", \"sha256\": " + (model.sha256.empty() ? "null" : json_quoted(model.sha256)) + "}";
  }
  return "{\n  \"networks\": [" + networks + "\n  ],\n  \"weights\": [" + weights + "\n  ]\n}\n";
}

}  // namespace

int show_models_command(const CommandContext& context) {
  Session session(context);
  if (!context.options.configs.empty()) session.config();
  std::vector<ShownModel> models = shown_models(session, context.options.pretrained);
  if (!context.options.subject.empty()) models = fitting_models(models, context.options.subject);
  if (context.options.json) {
    print(json_text(models));
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const ShownModel& model : models) rows.push_back({model.name, model.text});
  print(context.out.table(rows, {Style::bold}));
  if (rows.empty())
    context.log.log(LogLevel::warning,
                    "no plugins found (looked in " + session.catalogue().searched() + ")");
  return 0;
}

}  // namespace vissl::host
