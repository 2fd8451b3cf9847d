#include "host/cli/commands.hpp"
#include "host/cli/json_text.hpp"
#include "host/cli/schedule.hpp"

namespace vissl::host {
namespace {

std::string number(const char* format, double x) {
  char text[64];
  std::snprintf(text, sizeof(text), format, x);
  return text;
}

std::string json_text(const ScheduleTable& table) {
  std::string out = "[";
  for (std::size_t row = 0; row < table.where.size(); ++row) {
    Value object = Value::table();
    object.set("where", Value::number(table.where[row]));
    object.set("epoch", Value::number(table.epoch[row]));
    for (std::size_t i = 0; i < table.names.size(); ++i)
      object.set(table.names[i], Value::number(table.values[row][i]));
    out += (row == 0 ? "\n  " : ",\n  ") + to_json(object, -1);
  }
  return out + "\n]\n";
}

}  // namespace

int show_schedule_command(const CommandContext& context) {
  Session session(context);
  const ScheduleTable table =
      evaluate_schedules(session.config(), session.catalogue(), context.options.points, /*world=*/1,
                         /*ranks_per_node=*/1);
  if (context.options.json) {
    print(json_text(table));
    return 0;
  }
  std::vector<std::vector<std::string>> rows = {{"done", "epoch"}};
  rows[0].insert(rows[0].end(), table.names.begin(), table.names.end());
  for (std::size_t row = 0; row < table.where.size(); ++row) {
    rows.push_back({number("%.1f %%", 100.0 * table.where[row]), number("%.2f", table.epoch[row])});
    for (const double value : table.values[row]) rows.back().push_back(number("%.6g", value));
  }
  print(context.out.table(rows, {Style::dim, Style::dim}));
  return 0;
}

}  // namespace vissl::host
