#pragma once
// Colours and tables for people. Nothing here is used when the output is data for a program
// (--json).
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace vissl::host {

enum class ColorMode { automatic, always, never };

enum class Style { plain, bold, dim, red, yellow, green, cyan };

class Terminal {
 public:
  // What the environment says about a stream; read once.
  struct Facts {
    bool is_terminal = false;
    bool dumb = false;          // TERM=dumb or no TERM
    bool no_color = false;      // NO_COLOR is set and not empty
    bool color_forced = false;  // CLICOLOR_FORCE is set and not 0
    int width = 80;             // columns
  };
  static Facts facts(int fd);

  Terminal(const Facts& facts, ColorMode mode);

  bool is_terminal() const noexcept { return facts_.is_terminal; }
  bool color() const noexcept { return color_; }
  int width() const noexcept { return facts_.width; }
  // `text` in a style, or as it is where colours are off.
  std::string paint(std::string_view text, Style style) const;

  // Rows of cells as aligned columns; the last column is wrapped to the width of a terminal and
  // continues below its start.
  std::string table(const std::vector<std::vector<std::string>>& rows,
                    const std::vector<Style>& styles) const;

 private:
  Facts facts_;
  bool color_;
};

// Breaks text at spaces into lines of at most `width` columns; longer words stay whole.
std::vector<std::string> wrap(std::string_view text, std::size_t width);

// Columns of UTF-8 text, one per character.
std::size_t columns(std::string_view text);

}  // namespace vissl::host
