#include "host/cli/options.hpp"

#include <doctest/doctest.h>

#include "host/cli/options_table.hpp"
#include "host/files/error.hpp"

using namespace vissl::host;

namespace {

std::string error_of(const std::vector<std::string>& arguments) {
  try {
    parse_options(arguments);
  } catch (const Error& error) {
    CHECK(error.code() == Exit::usage);
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("options: a config alone means run, and everything keeps its order") {
  const Options options = parse_options({"--plugins", "a", "--config", "x.toml", "loss.name=l",
                                         "--plugins=b", "-c", "y.toml", "+seed_value=3"});
  CHECK(options.command == Command::run);
  CHECK(options.plugins == std::vector<std::string>{"a", "b"});
  CHECK(options.configs == std::vector<std::string>{"x.toml", "y.toml"});
  CHECK(options.settings == std::vector<std::string>{"loss.name=l", "+seed_value=3"});
}

TEST_CASE("options: every command of the table is understood") {
  for (const CommandRow& row : command_rows()) {
    std::vector<std::string> arguments;
    const std::size_t space = row.words.find(' ');
    arguments.emplace_back(row.words.substr(0, space));
    if (space != std::string_view::npos) arguments.emplace_back(row.words.substr(space + 1));
    if (!row.argument.empty()) arguments.emplace_back("loss/x");
    if (row.argument.find(' ') != std::string_view::npos) arguments.emplace_back("y");
    const std::string_view with_config = option_rows()[1].commands;
    const bool takes_config =
        with_config.find("|" + std::string(row.words) + "|") != std::string_view::npos;
    if (takes_config) arguments.insert(arguments.end(), {"--config", "x.toml"});
    CHECK(parse_options(arguments).command == row.command);
  }
}

TEST_CASE("options: describe takes its subject, list takes --json") {
  CHECK(parse_options({"describe", "loss/swav_loss"}).subject == "loss/swav_loss");
  CHECK(parse_options({"list", "--json"}).json);
  CHECK(parse_options({"show", "schedule", "-c", "x.toml", "--points", "5"}).points == 5);
}

TEST_CASE("options: show models goes without a pattern, and without a config") {
  const Options all = parse_options({"show", "models"});
  CHECK(all.command == Command::show_models);
  CHECK(all.subject.empty());
  CHECK(parse_options({"show", "models", "resnet*", "--pretrained"}).subject == "resnet*");
  CHECK(parse_options({"show", "models", "resnet*", "--pretrained"}).pretrained);
  const Options config = parse_options({"show", "models", "-c", "x.toml", "a.b=1"});
  CHECK(config.subject.empty());
  CHECK(config.settings == std::vector<std::string>{"a.b=1"});
  CHECK(error_of({"show", "models", "a.b=1"}) == "'show models' needs a config: --config FILE");
}

TEST_CASE("options: new-plugin takes a kind and a name") {
  const Options options = parse_options({"new-plugin", "loss", "mine", "-o", "folder"});
  CHECK(options.subject == "loss");
  CHECK(options.name == "mine");
  CHECK(options.output == "folder");
  CHECK(error_of({"new-plugin", "loss"}) ==
        "'new-plugin loss' needs a name as well: new-plugin KIND NAME");
  CHECK(error_of({"new-plugin"}) == "'new-plugin' needs KIND NAME");
}

TEST_CASE("options: a line to be completed is kept as it is") {
  const Options options = parse_options({"__complete", "--config", "x.toml", "--no-such", ""});
  CHECK(options.command == Command::complete);
  CHECK(options.settings == std::vector<std::string>{"--config", "x.toml", "--no-such", ""});
}

TEST_CASE("options: without arguments there is help, and --help wins over the rest") {
  CHECK(parse_options({}).command == Command::help);
  CHECK(parse_options({"list", "--help"}).command == Command::help);
  CHECK(parse_options({"--version"}).command == Command::version);
}

TEST_CASE("options: help takes the words of a command, and so does --help after them") {
  CHECK(parse_options({"help"}).command == Command::help);
  CHECK(parse_options({"help"}).subject.empty());
  CHECK(parse_options({"help", "show", "batch"}).subject == "show batch");
  CHECK(parse_options({"show", "batch", "--help"}).subject == "show batch");
  CHECK(parse_options({"stray", "--help"}).subject.empty());
  CHECK(error_of({"help", "lst"}) == "unknown command 'lst'; did you mean 'list'?");
}

TEST_CASE("options: a config or a setting that is given in another form is shown the right one") {
  CHECK(error_of({"exp.toml"}) ==
        "unknown command 'exp.toml'; a config is given as --config exp.toml");
  CHECK(error_of({"check", "exp.toml"}) ==
        "'exp.toml' is neither an option nor a setting; a config is given as --config exp.toml");
  CHECK(error_of({"train", "--config", "exp.toml"}) ==
        "unknown command 'train'; 'vissl-host run --config exp.toml' runs the config's engine");
  CHECK(error_of({"--config", "x", "loss.temperature", "=", "0.2"}) ==
        "'loss.temperature =' is no setting; write it without spaces: loss.temperature=0.2");
  CHECK(error_of({"run", "--config", "x", "loss.temperature=", "0.2"}) ==
        "'loss.temperature= 0.2' is no setting; write it without spaces: loss.temperature=0.2");
  CHECK(error_of({"--config", "x", "loss.temperature", "=0.2"}) ==
        "'loss.temperature =0.2' is no setting; write it without spaces: loss.temperature=0.2");
}

TEST_CASE("options: the log follows -q, -v, --log-level and --log-format") {
  CHECK(parse_options({"list"}).log.level == LogLevel::info);
  CHECK(parse_options({"list", "-q"}).log.level == LogLevel::warning);
  CHECK_FALSE(parse_options({"list", "-q"}).log.progress);
  CHECK(parse_options({"list", "-v"}).log.level == LogLevel::debug);
  CHECK(parse_options({"list", "-q", "--log-level", "error"}).log.level == LogLevel::error);
  CHECK(parse_options({"list", "--log-format=json"}).log.format == LogFormat::json);
  CHECK(parse_options({"list", "--color=never"}).color == ColorMode::never);
}

TEST_CASE("options: what has no meaning is refused with a remedy") {
  CHECK(error_of({"lst"}) == "unknown command 'lst'; did you mean 'list'?");
  CHECK(error_of({"show"}).starts_with("'show' needs a word"));
  CHECK(error_of({"show", "confg", "-c", "x"}) ==
        "'show' does not know 'confg'; did you mean 'show config'?");
  CHECK(error_of({"describe"}) ==
        "'describe' needs KIND/NAME; 'vissl-host list' shows what there is");
  CHECK(error_of({"list", "stray"}) ==
        "'stray' is neither an option nor a setting; a setting is key.path=value");
  CHECK(error_of({"list", "a=b"}) == "'a=b' has no meaning for 'list'");
  CHECK(error_of({"list", "--config", "x"}) == "option '--config' has no meaning for 'list'");
  CHECK(error_of({"run"}) == "'run' needs a config: --config FILE");
  CHECK(error_of({"--quiet"}) ==
        "nothing to do: give a command or --config FILE; see vissl-host --help");
  CHECK(error_of({"list", "--color", "red"}) == "--color is 'red'; it can be auto, always, never");
  CHECK(error_of({"show", "schedule", "-c", "x", "--points", "1"}) ==
        "--points is '1'; it must be an integer of at least 2");
  CHECK(error_of({"list", "--color", "never", "--color", "never"}) ==
        "option '--color' is given twice");
  CHECK(error_of({"list", "--jsn"}) == "unknown option '--jsn'; did you mean '--json'?");
  CHECK(error_of({"list", "-x"}).starts_with("unknown option '-x'"));
}

TEST_CASE("options: the help of a command shows its options and no others") {
  const std::string help = help_text(Terminal({}, ColorMode::never), "show batch");
  CHECK(help.starts_with("vissl-host show batch --config FILE [KEY.PATH=VALUE ...]\n"));
  for (const char* shown : {"--split", "--output", "--plugins", "KEY.PATH=VALUE "})
    CHECK(help.find(shown) != std::string::npos);
  for (const char* hidden : {"--points", "--origins", "Exit codes"})
    CHECK(help.find(hidden) == std::string::npos);
}

TEST_CASE("options: --help names every command and every option") {
  const std::string help = help_text(Terminal({}, ColorMode::never));
  for (const CommandRow& row : command_rows())
    CHECK(help.find("  " + std::string(row.words)) != std::string::npos);
  for (const OptionRow& row : option_rows())
    CHECK(help.find("--" + std::string(row.name)) != std::string::npos);
  CHECK(help.find('\x1b') == std::string::npos);
}

TEST_CASE("options: check-plugin takes files and the values of parameters, in any order") {
  const Options options =
      parse_options({"check-plugin", "a.so", "loss/a.width=3", "b.so", "--time-limit", "5"});
  CHECK(options.command == Command::check_plugin);
  CHECK(options.files == std::vector<std::string>{"a.so", "b.so"});
  CHECK(options.settings == std::vector<std::string>{"loss/a.width=3"});
  CHECK(options.time_limit == 5);
  CHECK(error_of({"check-plugin"}) == "'check-plugin' needs FILE.so ...");
}
