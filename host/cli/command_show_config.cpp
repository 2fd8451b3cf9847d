#include "host/cli/commands.hpp"
#include "host/cli/json_text.hpp"
#include "host/cli/origins.hpp"
#include "host/config/toml_text.hpp"
#include "host/files/locator_text.hpp"

namespace vissl::host {
namespace {

// A locator may hold a password, which belongs on no screen. Origins stay.
void hide_secrets(Value& value) {
  if (value.is_text()) value = Value::text(without_secrets(value.as_text()), value.origin());
  for (Value& item : value.items()) hide_secrets(item);
  for (TableEntry& entry : value.entries()) hide_secrets(entry.value);
}

}  // namespace

int show_config_command(const CommandContext& context) {
  if (context.options.json && context.options.origins)
    throw Error(Exit::usage, "--json and --origins cannot be combined");
  Session session(context);
  Value config = session.config();
  hide_secrets(config);
  if (context.options.json) {
    print(to_json(config) + "\n");
  } else if (context.options.origins) {
    std::vector<std::vector<std::string>> rows;
    for (const auto& [path, value] : leaves(config))
      rows.push_back({path + " = " + inline_toml(*value), "# " + value->origin().where()});
    print(context.out.table(rows, {Style::plain, Style::dim}));
  } else {
    print(toml_document(config));
  }
  return 0;
}

}  // namespace vissl::host
