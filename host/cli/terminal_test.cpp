#include "host/cli/terminal.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

using namespace vissl::host;

namespace {

Terminal::Facts terminal() {
  Terminal::Facts facts;
  facts.is_terminal = true;
  return facts;
}

}  // namespace

TEST_CASE("terminal: colours only on a terminal that wants them, unless they are demanded") {
  CHECK(Terminal(terminal(), ColorMode::automatic).color());
  CHECK_FALSE(Terminal({}, ColorMode::automatic).color());
  Terminal::Facts facts = terminal();
  facts.no_color = true;
  CHECK_FALSE(Terminal(facts, ColorMode::automatic).color());
  CHECK(Terminal(facts, ColorMode::always).color());
  facts = terminal();
  facts.dumb = true;
  CHECK_FALSE(Terminal(facts, ColorMode::automatic).color());
  facts = {};
  facts.color_forced = true;
  CHECK(Terminal(facts, ColorMode::automatic).color());
  CHECK_FALSE(Terminal(facts, ColorMode::never).color());
  CHECK(Terminal(terminal(), ColorMode::always).paint("x", Style::bold) == "\x1b[1mx\x1b[0m");
  CHECK(Terminal(terminal(), ColorMode::never).paint("x", Style::bold) == "x");
}

TEST_CASE("terminal: columns align by characters, and no line ends in spaces") {
  const Terminal plain({}, ColorMode::never);
  CHECK(plain.table({{"a", "été", "x"}, {"long", "b", "y"}, {"z", "", ""}}, {}) ==
        "a     été  x\nlong  b    y\nz\n");
}

TEST_CASE("terminal: the last column wraps to the width of a terminal only") {
  Terminal::Facts facts = terminal();
  facts.width = 34;
  const std::string text = "one two three four five six seven";
  CHECK(Terminal(facts, ColorMode::never).table({{"key", text}}, {}) ==
        "key  one two three four five six\n     seven\n");
  CHECK(Terminal({}, ColorMode::never).table({{"key", text}}, {}) == "key  " + text + "\n");
}

TEST_CASE("terminal: wrapping keeps long words whole") {
  CHECK(wrap("a bb cccc", 3) == std::vector<std::string>{"a", "bb", "cccc"});
  CHECK(wrap("", 5) == std::vector<std::string>{""});
}
