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

bool is_config_file(const std::string& word) {
  return word.ends_with(".toml") || word.ends_with(".yaml") || word.ends_with(".yml");
}

std::vector<std::string> known_commands() {
  std::vector<std::string> known;
  for (const CommandRow& row : command_rows()) known.emplace_back(row.words);
  return known;
}

// The command that `words` begin with, or NULL.
const CommandRow* find_command(const std::vector<std::string>& words) {
  for (const CommandRow& row : command_rows()) {
    const std::size_t space = row.words.find(' ');
    if (words.empty() || words[0] != row.words.substr(0, space)) continue;
    if (space == std::string_view::npos ||
        (words.size() > 1 && words[1] == row.words.substr(space + 1)))
      return &row;
  }
  return nullptr;
}

[[noreturn]] void unknown_command(const std::vector<std::string>& words, const Options& options) {
  const std::vector<std::string> known = known_commands();
  const std::string& first = words[0];
  const bool family = std::any_of(known.begin(), known.end(), [&](const std::string& command) {
    return command.starts_with(first + " ");
  });
  if (family && words.size() > 1)
    refuse("'" + first + "' does not know '" + words[1] + "'" +
           suggestion(first + " " + words[1], known));
  if (family) refuse("'" + first + "' needs a word" + suggestion(first, known));
  const std::string unknown = "unknown command '" + first + "'";
  if (is_config_file(first)) refuse(unknown + "; a config is given as --config " + first);
  if (near_names(first, known).empty() && !options.configs.empty())
    refuse(unknown + "; 'vissl-host run --config " + options.configs.front() +
           "' runs the config's engine");
  refuse(unknown + suggestion(first, known));
}

// Whether words[i] is followed by a lone '=' or by one that begins the next word: `a.b = 32`.
bool equals_follows(const std::vector<std::string>& words, std::size_t i) {
  return i + 1 < words.size() && words[i + 1].starts_with('=');
}

// Takes the command's words off the front of `words`; false when there is none.
bool take_command(std::vector<std::string>& words, Options& options) {
  if (words.empty() || words[0].find('=') != std::string::npos || equals_follows(words, 0))
    return false;
  const CommandRow* row = find_command(words);
  if (row == nullptr) unknown_command(words, options);
  const bool two = row->words.find(' ') != std::string_view::npos;
  words.erase(words.begin(), words.begin() + (two ? 2 : 1));
  options.command = row->command;
  if (row->argument.empty()) return true;
  const bool is_optional = row->argument.starts_with('[');
  if (is_optional && (words.empty() || words[0].find('=') != std::string::npos)) return true;
  if (words.empty())
    refuse("'" + std::string(row->words) + "' needs " + std::string(row->argument) +
           (row->command == Command::describe ? "; 'vissl-host list' shows what there is" : ""));
  if (row->argument.ends_with("...")) {
    const auto is_setting = [](const std::string& w) { return w.find('=') != w.npos; };
    const auto files = std::stable_partition(words.begin(), words.end(), is_setting);
    options.files.assign(files, words.end());
    words.erase(files, words.end());
    return true;
  }
  options.subject = words.front();
  words.erase(words.begin());
  if (row->argument.find(' ') == std::string_view::npos) return true;
  if (words.empty())
    refuse("'" + std::string(row->words) + " " + options.subject + "' needs " +
           (row->command == Command::convert ? "OUT" : "a name") +
           " as well: " + std::string(row->words) + " " + std::string(row->argument));
  options.name = words.front();
  words.erase(words.begin());
  return true;
}

// --help answers whatever else stands there; `help WORD` knows its word or says that it does not.
void take_help(std::vector<std::string> words, bool as_option, Options& options) {
  options.command = Command::help;
  if (!as_option) words.erase(words.begin());
  const CommandRow* row = find_command(words);
  if (row == nullptr && !words.empty() && !as_option) unknown_command(words, options);
  if (row != nullptr) options.subject = row->words;
}

// Every word that is left must be a setting.
void check_settings(const std::vector<std::string>& words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const bool ends_open =
        word.ends_with('=') && i + 1 < words.size() && words[i + 1].find('=') == std::string::npos;
    if (equals_follows(words, i) || ends_open) {
      std::string joined = word;
      for (std::size_t k = i + 1; k < words.size() && k < i + 3; ++k) {
        joined += words[k];
        if (words[k] != "=") break;
      }
      refuse("'" + word + " " + words[i + 1] +
             "' is no setting; write it without spaces: " + joined);
    }
    if (word.find('=') != std::string::npos) continue;
    refuse("'" + word + "' is neither an option nor a setting; " +
           (is_config_file(word) ? "a config is given as --config " + word
                                 : "a setting is key.path=value"));
  }
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
  const bool can_do_without = options.command == Command::show_models && options.settings.empty();
  if (options.configs.empty() && takes_settings && !can_do_without)
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
  options.sha256 = map["sha256"].as<bool>();
  options.pretrained = map["pretrained"].as<bool>();
  options.heads = map["heads"].as<bool>();
  options.bgr = map["bgr"].as<bool>();
  options.force = map["force"].as<bool>();
  options.to = text("to");
  options.from = text("from");
  options.part = text("part");
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
  if (const std::string most = text("max"); !most.empty())
    options.most = whole_number("max", most, 0);
  if (const std::string depth = text("depth"); !depth.empty())
    options.depth = whole_number("depth", depth, 1);
  if (const std::string limit = text("time-limit"); !limit.empty())
    options.time_limit = whole_number("time-limit", limit, 1);

  if (const std::string n = text("nproc"); !n.empty()) options.nproc = whole_number("nproc", n, 1);
  if (const std::string rank = text("rank"); !rank.empty())
    options.rank_options.rank = whole_number("rank", rank, 0);
  if (const std::string world = text("world-size"); !world.empty())
    options.rank_options.world = whole_number("world-size", world, 1);
  options.rank_options.rendezvous = text("rendezvous");

  std::vector<std::string> words = texts("words");
  const bool asked = map["help"].as<bool>();
  if (asked || (!words.empty() && words[0] == "help"))
    return take_help(std::move(words), asked, options), options;
  if (map["version"].as<bool>()) return options.command = Command::version, options;
  const bool named = take_command(words, options);
  check_settings(words);
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
