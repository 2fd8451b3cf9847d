#include "host/cli/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace vissl::host {
namespace {

constexpr std::size_t kGap = 2;         // spaces between columns
constexpr std::size_t kLeastText = 24;  // a wrapped column is never narrower

bool set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

const char* code(Style style) {
  switch (style) {
    case Style::bold:
      return "\x1b[1m";
    case Style::dim:
      return "\x1b[2m";
    case Style::red:
      return "\x1b[1;31m";
    case Style::yellow:
      return "\x1b[33m";
    case Style::green:
      return "\x1b[32m";
    case Style::cyan:
      return "\x1b[36m";
    case Style::plain:
      break;
  }
  return "";
}

}  // namespace

Terminal::Facts Terminal::facts(int fd) {
  Facts facts;
  facts.is_terminal = ::isatty(fd) == 1;
  const char* term = std::getenv("TERM");
  facts.dumb = term == nullptr || std::string_view(term) == "dumb";
  facts.no_color = set("NO_COLOR");
  facts.color_forced =
      set("CLICOLOR_FORCE") && std::string_view(std::getenv("CLICOLOR_FORCE")) != "0";
  winsize size{};
  if (facts.is_terminal && ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    facts.width = size.ws_col;
  return facts;
}

Terminal::Terminal(const Facts& facts, ColorMode mode) : facts_(facts) {
  const bool wanted = facts.color_forced || (facts.is_terminal && !facts.dumb && !facts.no_color);
  color_ = mode == ColorMode::always || (mode == ColorMode::automatic && wanted);
}

std::string Terminal::paint(std::string_view text, Style style) const {
  if (!color_ || style == Style::plain || text.empty()) return std::string(text);
  return code(style) + std::string(text) + "\x1b[0m";
}

std::string Terminal::table(const std::vector<std::vector<std::string>>& rows,
                            const std::vector<Style>& styles) const {
  std::vector<std::size_t> widths;
  for (const auto& row : rows)
    for (std::size_t i = 0; i + 1 < row.size(); ++i) {
      if (widths.size() <= i) widths.push_back(0);
      widths[i] = std::max(widths[i], columns(row[i]));
    }
  std::string out;
  for (const auto& row : rows) {
    std::size_t start = 0;
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const Style style = i < styles.size() ? styles[i] : Style::plain;
      if (i + 1 < row.size()) {
        line += paint(row[i], style) + std::string(widths[i] - columns(row[i]) + kGap, ' ');
        start += widths[i] + kGap;
        continue;
      }
      const auto total = static_cast<std::size_t>(facts_.width);
      const std::size_t room = !facts_.is_terminal
                                   ? std::string::npos
                                   : std::max(kLeastText, total > start ? total - start : 0);
      const std::vector<std::string> lines = wrap(row[i], room);
      for (std::size_t k = 0; k < lines.size(); ++k)
        line += (k == 0 ? "" : "\n" + std::string(start, ' ')) + paint(lines[k], style);
    }
    // No line ends in spaces: diffs and tests show them.
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::vector<std::string> wrap(std::string_view text, std::size_t width) {
  std::vector<std::string> lines;
  std::string line;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.empty() && columns(line) + 1 + columns(word) > width) {
      lines.push_back(line);
      line.clear();
    }
    if (!line.empty()) line += ' ';
    line += word;
  }
  if (!line.empty() || lines.empty()) lines.push_back(line);
  return lines;
}

std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0u) != 0x80u;
  }));
}

}  // namespace vissl::host
