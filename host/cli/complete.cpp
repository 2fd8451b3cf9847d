#include "host/cli/complete.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include "host/cli/options_table.hpp"
#include "host/cli/shown_models.hpp"
#include "host/plugin/kinds.hpp"

namespace vissl::host {
namespace {

// The line without its last word, read as far as it can be.
struct Line {
  std::vector<std::string> words;       // neither options nor settings
  Options options;                      // plugins, configs, settings
  const OptionRow* open = nullptr;      // an option at the end that waits for its value
  const CommandRow* command = nullptr;  // NULL: none yet
  std::size_t operands = 0;             // words after the command
};

const OptionRow* find_option(std::string_view word) {
  for (const OptionRow& row : option_rows()) {
    if (word == "--" + std::string(row.name)) return &row;
    if (row.letter != '\0' && word == std::string("-") + row.letter) return &row;
  }
  return nullptr;
}

void take_value(Line& line, const OptionRow& row, const std::string& value) {
  if (row.name == "plugins") line.options.plugins.push_back(value);
  if (row.name == "config") line.options.configs.push_back(value);
}

void find_command(Line& line) {
  for (const CommandRow& row : command_rows()) {
    const std::size_t space = row.words.find(' ');
    const bool two = space != std::string_view::npos;
    const std::size_t count = two ? 2 : 1;
    if (line.words.size() < count || line.words[0] != row.words.substr(0, space)) continue;
    if (two && line.words[1] != row.words.substr(space + 1)) continue;
    line.command = &row;
    line.operands = line.words.size() - count;
  }
  if (line.words.empty() && !line.options.configs.empty())
    line.command = &command_row(Command::run);
}

Line read_line(const std::vector<std::string>& words) {
  Line line;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string& word = words[i];
    const std::size_t equals = word.find('=');
    if (!word.starts_with('-')) {
      (equals == std::string::npos ? line.words : line.options.settings).push_back(word);
    } else if (const OptionRow* row = find_option(word.substr(0, equals));
               row != nullptr && !row->argument.empty()) {
      if (equals != std::string::npos)
        take_value(line, *row, word.substr(equals + 1));
      else if (i + 2 == words.size())
        line.open = row;
      else
        take_value(line, *row, words[++i]);
    }
  }
  find_command(line);
  return line;
}

class Answer {
 public:
  explicit Answer(std::string begin) : begin_(std::move(begin)) {}
  // `before` stands before the text in the word: "--color=".
  void offer(std::string_view text, std::string_view doc = "", std::string_view before = "") {
    const std::string word = std::string(before) + std::string(text);
    if (word.starts_with(begin_) && seen_.insert(word).second)
      result.words.push_back({word, std::string(doc)});
  }
  const std::string& begin() const { return begin_; }
  Completions result;

 private:
  std::string begin_;
  std::set<std::string> seen_;
};

// The values of an option, by the name of its argument.
void offer_values(Answer& answer, const OptionRow& row, std::string_view before) {
  const auto words = [&](std::initializer_list<std::string_view> list) {
    for (const std::string_view word : list) answer.offer(word, "", before);
  };
  if (row.argument == "DIR" || row.argument == "FILE") answer.result.files = true;
  if (row.argument == "WHEN") words({"auto", "always", "never"});
  if (row.argument == "LEVEL") words({"debug", "info", "warning", "error"});
  if (row.argument == "FORMAT") words({"text", "json"});
  if (row.argument == "NAME") words({"train", "test"});
  if (row.argument == "SYSTEM") {
    // Those of the profile `pretrained`; tests/integration/convert.sh compares.
    words({"vissl", "torchvision", "timm", "detectron2", "classy", "caffe2", "lightly",
           "deepcluster"});
    if (row.name == "to") words({"torch", "safetensors", "sliced"});
  }
}

bool applies(const OptionRow& row, const CommandRow* command) {
  return command == nullptr || row.commands.empty() ||
         row.commands.find("|" + std::string(command->words) + "|") != std::string_view::npos;
}

void offer_commands(Answer& answer, const Line& line) {
  for (const CommandRow& row : command_rows()) {
    const std::size_t space = row.words.find(' ');
    const std::string_view first = row.words.substr(0, space);
    if (line.words.empty()) {
      answer.offer(first, space == std::string_view::npos ? row.doc : "");
    } else if (line.words.size() == 1 && line.words[0] == first &&
               space != std::string_view::npos) {
      answer.offer(row.words.substr(space + 1), row.doc);
    }
  }
}

// One step down a path: "transforms", "transforms[2]" or "transforms[RandomResizedCrop]".
const Value* step(const Value* at, std::string_view part) {
  const std::size_t bracket = part.find('[');
  const Value* found = at->find(part.substr(0, bracket));
  if (found == nullptr || bracket == std::string_view::npos || !part.ends_with(']')) return found;
  const std::string_view which = part.substr(bracket + 1, part.size() - bracket - 2);
  std::size_t number = 0;
  const auto read = std::from_chars(which.data(), which.data() + which.size(), number);
  if (read.ec == std::errc() && read.ptr == which.data() + which.size())
    return number < found->items().size() ? &found->items()[number] : nullptr;
  for (const Value& item : found->items())
    if (const Value* name = item.find("name"); name != nullptr && name->as_text() == which)
      return &item;
  return nullptr;
}

// Keys of the config one level below the path that the word has so far; values of booleans.
void offer_settings(Answer& answer, const Value& config) {
  const std::string& begin = answer.begin();
  const std::size_t equals = begin.find('=');
  const std::string path = begin.substr(0, equals);
  const Value* at = &config;
  std::size_t start = 0;
  for (std::size_t dot = 0; (dot = path.find('.', start)) != std::string::npos; start = dot + 1)
    if (at = step(at, path.substr(start, dot - start)); at == nullptr) return;
  if (equals != std::string::npos) {
    const Value* value = step(at, path.substr(start));
    if (value != nullptr && value->is(Value::Type::boolean))
      for (const char* word : {"true", "false"}) answer.offer(word, "", path + "=");
    return;
  }
  const std::string parent = path.substr(0, start);
  answer.result.no_space = true;
  for (const TableEntry& entry : at->entries()) {
    const Value& value = entry.value;
    answer.offer(entry.key + (value.is_table() ? "." : "="), "", parent);
    for (const Value& item : value.items())
      if (const Value* name = item.find("name"))
        answer.offer(entry.key + "[" + name->as_text() + "].", "", parent);
  }
}

void offer_operands(Answer& answer, const Line& line, Session& session) {
  const std::string_view argument = line.command->argument;
  if (argument == "KIND/NAME" && line.operands == 0)
    for (const CatalogueEntry& entry : session.catalogue().entries())
      answer.offer(entry.kind + "/" + entry.name, entry.sentence);
  if (line.command->command == Command::show_models && line.operands == 0)
    for (const ShownModel& model : shown_models(session, true)) answer.offer(model.name);
  if (argument == "KIND NAME" && line.operands == 0)
    for (const Kind& kind : kinds()) answer.offer(kind.name);
  if (argument == "SHELL" && line.operands == 0)
    for (const char* shell : {"bash", "zsh", "fish"}) answer.offer(shell);
  if (argument.starts_with("FILE") || argument.starts_with("IN ")) answer.result.files = true;
  if (!line.options.configs.empty()) offer_settings(answer, session.config());
}

}  // namespace

Completions complete(const std::vector<std::string>& words, const CommandContext& context) {
  const Line line = read_line(words);
  Answer answer(words.empty() ? "" : words.back());
  const std::string& begin = answer.begin();
  const std::size_t equals = begin.find('=');
  if (line.open != nullptr) {
    offer_values(answer, *line.open, "");
  } else if (begin.starts_with("--") && equals != std::string::npos) {
    if (const OptionRow* row = find_option(begin.substr(0, equals)))
      offer_values(answer, *row, begin.substr(0, equals + 1));
  } else if (begin.starts_with('-')) {
    for (const OptionRow& row : option_rows())
      if (applies(row, line.command)) answer.offer("--" + std::string(row.name), row.doc);
  } else if (line.command == nullptr) {
    offer_commands(answer, line);
  } else {
    try {
      const CommandContext inner = {line.options, context.arguments, context.out, context.log};
      Session session(inner);
      offer_operands(answer, line, session);
    } catch (const Error& error) {
      // A shell has no place for it; the command itself will say it.
      context.log.log(LogLevel::debug, error.what());
    }
  }
  return std::move(answer.result);
}

}  // namespace vissl::host
