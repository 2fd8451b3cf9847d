#include "host/cli/options.hpp"

#include <algorithm>
#include <boost/program_options.hpp>
#include <charconv>

#include "host/cli/options_table.hpp"
#include "host/config/suggest.hpp"
#include "host/files/error.hpp"

namespace po = boost::program_options;

namespace vissl::host {
namespace {

[[noreturn]] void refuse(const std::string& text) {
  throw Error(Exit::usage, text);
}

po::options_description description() {
  po::options_description all;
  for (const OptionRow& row : option_rows()) {
    const std::string name =
        std::string(row.name) + (row.letter != '\0' ? std::string(",") + row.letter : "");
    const bool repeats = row.name == "plugins" || row.name == "config";
    if (row.argument.empty())
      all.add_options()(name.c_str(), po::bool_switch());
    else if (repeats)
      all.add_options()(name.c_str(), po::value<std::vector<std::string>>()->composing());
    else
      all.add_options()(name.c_str(), po::value<std::string>());
  }
  all.add_options()("words", po::value<std::vector<std::string>>());
  return all;
}

std::string with_dashes(const OptionRow& row) {
  return "--" + std::string(row.name);
}

[[noreturn]] void unknown_option(std::string name) {
  const std::string shown = name;
  name.erase(0, name.find_first_not_of('-'));
  std::vector<std::string> names;
  for (const OptionRow& row : option_rows()) names.emplace_back(row.name);
  std::string hint;
  for (const std::string& near : near_names(name, names))
    hint += (hint.empty() ? "; did you mean '--" : " or '--") + near + "'";
  refuse("unknown option '" + shown + "'" +
         (hint.empty() ? "; see vissl-host --help" : hint + "?"));
}

po::variables_map parse(const std::vector<std::string>& arguments) {
  const po::options_description all = description();
  po::positional_options_description positional;
  positional.add("words", -1);
  // Abbreviations would turn every new option into a change of old command lines.
  const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
  po::variables_map map;
  try {
    po::store(
        po::command_line_parser(arguments).options(all).positional(positional).style(style).run(),
        map);
    po::notify(map);
  } catch (const po::unknown_option& error) {
    unknown_option(error.get_option_name());
  } catch (const po::multiple_occurrences& error) {
    refuse("option '" + error.get_option_name() + "' is given twice");
  } catch (const po::error_with_option_name& error) {
    const std::string name = error.get_option_name();
    for (const OptionRow& row : option_rows())
      if (name == with_dashes(row) || name == std::string("-") + row.letter)
        refuse(row.argument.empty() ? "option '--" + std::string(row.name) + "' takes no value"
                                    : "option '--" + std::string(row.name) + "' needs a value: --" +
                                          std::string(row.name) + " " + std::string(row.argument));
    refuse(std::string(error.what()) + "; see vissl-host --help");
  }
  return map;
}

template <class T>
T one_of(const std::string& option, const std::string& text,
         std::initializer_list<std::pair<const char*, T>> choices) {
  std::string names;
  for (const auto& [name, value] : choices) {
    if (text == name) return value;
    names += (names.empty() ? "" : ", ") + std::string(name);
  }
  refuse("--" + option + " is '" + text + "'; it can be " + names);
}

int whole_number(const std::string& option, const std::string& text, int min) {
  int value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size() || value < min)
    refuse("--" + option + " is '" + text + "'; it must be an integer of at least " +
           std::to_string(min));
  return value;
}

// Takes the command's words off the front of `words`; false when there is none.
bool take_command(std::vector<std::string>& words, Options& options) {
  if (words.empty() || words[0].find('=') != std::string::npos) return false;
  std::vector<std::string> known;
  for (const CommandRow& row : command_rows()) {
    const std::size_t space = row.words.find(' ');
    const std::string first(row.words.substr(0, space));
    const std::string second(space == std::string_view::npos ? "" : row.words.substr(space + 1));
    known.emplace_back(row.words);
    if (words[0] != first || (!second.empty() && (words.size() < 2 || words[1] != second)))
      continue;
    words.erase(words.begin(), words.begin() + (second.empty() ? 1 : 2));
    options.command = row.command;
    if (row.argument.empty()) return true;
    if (words.empty())
      refuse("'" + std::string(row.words) + "' needs " + std::string(row.argument) +
             (row.command == Command::describe ? "; 'vissl-host list' shows what there is" : ""));
    if (row.argument.ends_with("...")) {
      const auto is_setting = [](const std::string& w) { return w.find('=') != w.npos; };
      const auto files = std::stable_partition(words.begin(), words.end(), is_setting);
      options.files.assign(files, words.end());
      words.erase(files, words.end());
      return true;
    }
    options.subject = words.front();
    words.erase(words.begin());
    if (row.argument.find(' ') == std::string_view::npos) return true;
    if (words.empty())
      refuse("'" + std::string(row.words) + " " + options.subject +
             "' needs a name as well: " + std::string(row.words) + " " + std::string(row.argument));
    options.name = words.front();
    words.erase(words.begin());
    return true;
  }
  const std::string& first = words[0];
  const bool family = std::any_of(known.begin(), known.end(), [&](const std::string& command) {
    return command.starts_with(first + " ");
  });
  const bool two = family && words.size() > 1;
  refuse((two      ? "'" + first + "' does not know '" + words[1] + "'"
          : family ? "'" + first + "' needs a word"
                   : "unknown command '" + first + "'") +
         suggestion(two ? first + " " + words[1] : first, known));
}

void check_applies(const po::variables_map& map, const Options& options) {
  const std::string words(command_row(options.command).words);
  for (const OptionRow& row : option_rows()) {
    const auto& value = map[std::string(row.name)];
    if (value.empty() || value.defaulted() || row.commands.empty() ||
        row.commands.find("|" + words + "|") != std::string_view::npos)
      continue;
    refuse("option '" + with_dashes(row) + "' has no meaning for '" + words + "'");
  }
  const bool takes_settings =
      option_rows()[1].commands.find("|" + words + "|") != std::string_view::npos;
  if (!options.settings.empty() && !takes_settings && options.command != Command::check_plugin)
    refuse("'" + options.settings.front() + "' has no meaning for '" + words + "'");
  if (options.configs.empty() && takes_settings)
    refuse("'" + words + "' needs a config: --config FILE");
}

}  // namespace

Options parse_options(const std::vector<std::string>& arguments) {
  Options options;
  // What the completion scripts ask for: the rest of the line is not to be understood, but
  // completed.
  if (!arguments.empty() && arguments.front() == "__complete") {
    options.command = Command::complete;
    options.settings.assign(arguments.begin() + 1, arguments.end());
    options.log.level = LogLevel::error;
    return options;
  }
  const po::variables_map map = parse(arguments);
  const auto text = [&](const char* name) {
    return map.count(name) != 0 ? map[name].as<std::string>() : std::string();
  };
  const auto texts = [&](const char* name) {
    return map.count(name) != 0 ? map[name].as<std::vector<std::string>>()
                                : std::vector<std::string>();
  };
  options.json = map["json"].as<bool>();
  options.origins = map["origins"].as<bool>();
  options.plugins = texts("plugins");
  options.configs = texts("config");
  if (const std::string when = text("color"); !when.empty())
    options.color = one_of<ColorMode>("color", when,
                                      {{"auto", ColorMode::automatic},
                                       {"always", ColorMode::always},
                                       {"never", ColorMode::never}});
  if (map["verbose"].as<bool>()) options.log.level = LogLevel::debug;
  if (map["quiet"].as<bool>()) options.log.level = LogLevel::warning, options.log.progress = false;
  if (const std::string level = text("log-level"); !level.empty())
    options.log.level = one_of<LogLevel>("log-level", level,
                                         {{"debug", LogLevel::debug},
                                          {"info", LogLevel::info},
                                          {"warning", LogLevel::warning},
                                          {"error", LogLevel::error}});
  if (const std::string format = text("log-format"); !format.empty())
    options.log.format = one_of<LogFormat>("log-format", format,
                                           {{"text", LogFormat::text}, {"json", LogFormat::json}});
  if (const std::string split = text("split"); !split.empty()) options.split = split;
  if (const std::string output = text("output"); !output.empty()) options.output = output;
  if (const std::string points = text("points"); !points.empty())
    options.points = whole_number("points", points, 2);
  if (const std::string seconds = text("seconds"); !seconds.empty())
    options.seconds = whole_number("seconds", seconds, 1);
  if (const std::string limit = text("time-limit"); !limit.empty())
    options.time_limit = whole_number("time-limit", limit, 1);

  if (const std::string n = text("nproc"); !n.empty()) options.nproc = whole_number("nproc", n, 1);
  if (const std::string rank = text("rank"); !rank.empty())
    options.rank_options.rank = whole_number("rank", rank, 0);
  if (const std::string world = text("world-size"); !world.empty())
    options.rank_options.world = whole_number("world-size", world, 1);
  options.rank_options.rendezvous = text("rendezvous");

  if (map["help"].as<bool>()) return options.command = Command::help, options;
  if (map["version"].as<bool>()) return options.command = Command::version, options;
  std::vector<std::string> words = texts("words");
  const bool named = take_command(words, options);
  for (const std::string& word : words)
    if (word.find('=') == std::string::npos)
      refuse("'" + word + "' is neither an option nor a setting; a setting is key.path=value");
  options.settings = std::move(words);
  if (!named && options.configs.empty()) {
    if (arguments.empty()) return options.command = Command::help, options;
    refuse("nothing to do: give a command or --config FILE; see vissl-host --help");
  }
  check_applies(map, options);
  return options;
}

void become_rank(Options& options, const Environment& environment) {
  options.ranks = find_ranks(options.rank_options, environment);
  if (options.ranks.world > 1 && options.nproc > 1)
    refuse("this process is already one of " + std::to_string(options.ranks.world) +
           " ranks by its " + (options.rank_options.world ? "options" : "environment") +
           "; leave out --nproc");
  if (options.ranks.rank == 0) return;
  options.log.level = LogLevel::error;
  options.log.progress = false;
  options.log.prefix = "rank " + std::to_string(options.ranks.rank) + ": ";
}

}  // namespace vissl::host
