#pragma once
#include <string>
#include <string_view>

namespace vissl::host {

// Text of a foreign file for a terminal: what could steer the terminal or turn the direction of
// writing (control characters, bidirectional marks) and bytes that are no UTF-8 become \xNN.
std::string printable(std::string_view text);

// For text of several lines that has such names in it: its line ends and tabs stay.
std::string printable_lines(std::string_view text);

}  // namespace vissl::host
