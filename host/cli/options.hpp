#pragma once
// The command line, from one table of options and one of commands.
#include <optional>
#include <string>
#include <vector>

#include "host/cli/logger.hpp"
#include "host/cli/ranks.hpp"
#include "host/cli/terminal.hpp"

namespace vissl::host {

enum class Command {
  run,
  check,
  list,
  describe,
  check_plugin,
  show_config,
  show_batch,
  show_model,
  show_schedule,
  bench_data,
  show_keys,
  show_models,
  new_plugin,
  inspect,
  convert,
  completion,
  complete,  // of the completion scripts; not in the table
  help,
  version
};

struct Options {
  Command command = Command::run;
  std::string subject;  // of describe: "loss/simclr_info_nce_loss"; a kind; a file; a shell; a
                        // command; a pattern
  std::string name;     // of new-plugin; of convert the file to write
  std::vector<std::string> files;     // of check-plugin
  std::vector<std::string> plugins;   // --plugins, in order
  std::vector<std::string> configs;   // --config, in order
  std::vector<std::string> settings;  // key.path=value, in order
  std::string split = "train";        // of show batch and bench data
  std::string output;                 // of show batch and new-plugin; empty = the command's own
  int points = 11;                    // of show schedule
  int seconds = 10;                   // of bench data
  int time_limit = 20;                // of check-plugin, in seconds for one check
  bool json = false;
  bool origins = false;
  bool sha256 = false;      // of inspect
  bool pretrained = false;  // of show models
  int most = -1;            // of inspect: tensors to list; negative = all
  // Of convert.
  std::string to, from, part;  // names of systems; a place in the file
  int depth = 0;               // of a ResNet; 0 = whichever the file has
  bool heads = false, bgr = false, force = false;
  ColorMode color = ColorMode::automatic;
  LogSettings log;
  int nproc = 1;             // of run: ranks to start on this machine
  RankOptions rank_options;  // of run
  Ranks ranks;               // what find_ranks made of them
};

// Parses the arguments without the program's name. Options are never abbreviated, and every word
// must have a meaning. Throws Error(Exit::usage) with the nearest name.
Options parse_options(const std::vector<std::string>& arguments);

// Fills options.ranks; of several ranks all but rank 0 log errors only, and say who they are.
// Throws Error(Exit::usage).
void become_rank(Options& options, const Environment& environment);

// The text of --help; with the words of a command ("show batch"), that command's own.
std::string help_text(const Terminal& terminal, const std::string& command = "");

}  // namespace vissl::host
