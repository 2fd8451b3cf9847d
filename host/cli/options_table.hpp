#pragma once
// The tables that parsing and --help share.
#include <span>
#include <string_view>

#include "host/cli/options.hpp"

namespace vissl::host {

struct CommandRow {
  Command command;
  std::string_view words;     // "show config"
  std::string_view argument;  // "KIND/NAME", or empty
  std::string_view doc;
};

enum class OptionGroup { input, ranks, output, general };

struct OptionRow {
  std::string_view name;      // "plugins", without dashes
  char letter;                // '\0' = none
  std::string_view argument;  // "DIR"; empty = a switch
  OptionGroup group;
  std::string_view commands;  // "|list|describe|" for which it has a meaning; empty = all
  std::string_view doc;
};

std::span<const CommandRow> command_rows();
std::span<const OptionRow> option_rows();
const CommandRow& command_row(Command command);

}  // namespace vissl::host
