#include "host/cli/options_table.hpp"

namespace vissl::host {
namespace {

using Rows = std::vector<std::vector<std::string>>;

bool applies(const OptionRow& row, std::string_view command) {
  return command.empty() || row.commands.empty() ||
         row.commands.find("|" + std::string(command) + "|") != std::string_view::npos;
}

// The options of a group, of one command or of all.
Rows group_rows(OptionGroup group, std::string_view command = "") {
  Rows rows;
  for (const OptionRow& row : option_rows()) {
    if (row.group != group || !applies(row, command)) continue;
    const std::string letter = row.letter != '\0' ? std::string("-") + row.letter + ", " : "    ";
    const std::string argument = row.argument.empty() ? "" : " " + std::string(row.argument);
    rows.push_back({"  " + letter + "--" + std::string(row.name) + argument, std::string(row.doc)});
  }
  return rows;
}

const std::vector<std::string> kSettingRow = {
    "      KEY.PATH=VALUE",
    "Sets a value of the config: 'data.train.transforms[RandomResizedCrop].size=96'."};

std::string command_help(const Terminal& terminal, const CommandRow& row) {
  const bool takes_config = applies(option_rows()[1], row.words);
  std::string out = "vissl-host " + std::string(row.words);
  if (!row.argument.empty()) out += " " + std::string(row.argument);
  if (row.command == Command::show_models)
    out += " [--config FILE [KEY.PATH=VALUE ...]]";
  else if (takes_config)
    out += " --config FILE [KEY.PATH=VALUE ...]";
  out += "\n" + std::string(row.doc) + "\n\n" + terminal.paint("Options", Style::bold) + "\n";
  Rows rows;
  for (const OptionGroup group : {OptionGroup::input, OptionGroup::output, OptionGroup::general}) {
    for (auto& option : group_rows(group, row.words)) rows.push_back(std::move(option));
    if (group == OptionGroup::input && takes_config) rows.push_back(kSettingRow);
  }
  return out + terminal.table(rows, {Style::cyan});
}

}  // namespace

std::string help_text(const Terminal& terminal, const std::string& command) {
  for (const CommandRow& row : command_rows())
    if (row.words == command) return command_help(terminal, row);
  const auto title = [&](const char* text) {
    return "\n" + terminal.paint(text, Style::bold) + "\n";
  };
  std::string out = "vissl-host trains, evaluates and exports self-supervised vision models.\n";
  const auto table = [&](const Rows& rows) { return terminal.table(rows, {Style::cyan}); };
  out += title("Examples");
  out += table({
      {"  vissl-host --config exp.toml", "runs it"},
      {"  vissl-host --config exp.toml optimizer.num_epochs=10", "with another value"},
      {"  vissl-host --plugins mine --plugins build/plugins --config exp.toml",
       "with plugins of your own"},
      {"  vissl-host check --config exp.toml", "tries one step, leaves nothing behind"},
      {"  vissl-host --config exp.toml --nproc 4", "with four ranks on this machine"},
      {"  vissl-host list", "what is there"},
      {"  vissl-host describe loss/simclr_info_nce_loss", "what it takes"},
      {"  vissl-host show config --origins --config exp.toml", "where each value comes from"},
      {"  vissl-host help show batch", "what one command takes"},
  });
  out += title("Commands");
  Rows rows;
  for (const CommandRow& row : command_rows())
    rows.push_back({"  " + std::string(row.words) +
                        (row.argument.empty() ? "" : " " + std::string(row.argument)),
                    std::string(row.doc)});
  out += table(rows);
  rows = group_rows(OptionGroup::input);
  rows.push_back(kSettingRow);
  out += title("Input") + table(rows);
  out += title("Several ranks") + table(group_rows(OptionGroup::ranks));
  out += title("Output") + table(group_rows(OptionGroup::output));
  out += title("General") + table(group_rows(OptionGroup::general));
  out += title("Exit codes");
  out += table({
      {"  0", "done"},
      {"  1", "the run failed"},
      {"  2", "wrong command line or config, or no such component"},
      {"  3", "a plugin file cannot be used"},
      {"  4", "a data or weights file is missing or unreadable"},
      {"  5", "a rank of a distributed run failed"},
      {"  75", "stopped and saved: run the same command again"},
      {"  130, 143", "stopped by SIGINT, SIGTERM without a save"},
  });
  return out;
}

}  // namespace vissl::host
