#pragma once
// One function per command; each returns the process' exit code and throws Error.
#include "host/cli/session.hpp"

namespace vissl::host {

int list_command(const CommandContext& context);
int describe_command(const CommandContext& context);
int check_plugin_command(const CommandContext& context);
int new_plugin_command(const CommandContext& context);
int completion_command(const CommandContext& context);
int complete_command(const CommandContext& context);
int show_config_command(const CommandContext& context);
int show_batch_command(const CommandContext& context);
int show_model_command(const CommandContext& context);
int show_schedule_command(const CommandContext& context);
int show_keys_command(const CommandContext& context);
int show_models_command(const CommandContext& context);
int bench_data_command(const CommandContext& context);
int inspect_command(const CommandContext& context);
int convert_command(const CommandContext& context);
int run_command(const CommandContext& context);
int check_command(const CommandContext& context);

// Runs the command of the options.
int dispatch(const CommandContext& context);

// Writes to stdout; throws Error(Exit::run_failed) when that fails (a full disk; a closed pipe ends
// quietly).
void print(const std::string& text);

}  // namespace vissl::host
