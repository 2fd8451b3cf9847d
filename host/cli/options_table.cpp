#include "host/cli/options_table.hpp"

namespace vissl::host {
namespace {

constexpr CommandRow kCommands[] = {
    {Command::run, "run", "", "Runs the config's engine. The default when --config is given."},
    {Command::check, "check", "",
     "Does all of it up to one step on a throw-away copy; leaves no files."},
    {Command::list, "list", "", "Lists the components that the plugins offer."},
    {Command::describe, "describe", "KIND/NAME", "Shows a component's parameters."},
    {Command::check_plugin, "check-plugin", "FILE.so ...",
     "Judges plugins: file, loading, contract and behaviour, each in a process of its own."},
    {Command::show_config, "show config", "",
     "Prints the config with every default, as TOML; secrets of addresses as ***."},
    {Command::show_batch, "show batch", "",
     "Prints the fields of the first batch and writes its images as a contact sheet (PNG) or as "
     "numbers (.npy)."},
    {Command::show_model, "show model", "", "Prints the model's parameters with their shapes."},
    {Command::show_schedule, "show schedule", "", "Prints the schedules' values over the run."},
    {Command::show_keys, "show keys", "",
     "Prints all keys of a config, those of every component too, as Markdown."},
    {Command::show_models, "show models", "[PATTERN]",
     "Prints the networks, and the weights that have names: what a pattern such as 'resnet50*' "
     "fits, "
     "with their addresses. A config adds the names of its weights_schemes."},
    {Command::bench_data, "bench data", "",
     "Measures how fast a split gives batches, and which stage takes the time."},
    {Command::inspect, "inspect", "FILE",
     "Shows what a file of weights holds: format, wrappers, every tensor. Runs nothing of it."},
    {Command::convert, "convert", "IN OUT",
     "Writes a file of weights with another system's names, or into another container."},
    {Command::new_plugin, "new-plugin", "KIND NAME",
     "Writes a plugin with its test and CMakeLists.txt into a new folder."},
    {Command::completion, "completion", "SHELL",
     "Prints the script that completes command lines in bash, zsh or fish."},
};

constexpr std::string_view kWithConfig =
    "|run|check|show config|show batch|show model|show models|show schedule|bench data|";

constexpr OptionRow kOptions[] = {
    {"plugins", '\0', "DIR", OptionGroup::input, "",
     "Folder of plugins, or one .so file; may repeat. "
     "VISSL_PLUGIN_PATH adds folders. The built-in "
     "plugins when neither is given."},
    {"config", 'c', "FILE", OptionGroup::input, kWithConfig,
     "Config file in TOML; may repeat, later files win."},
    {"split", '\0', "NAME", OptionGroup::input, "|show batch|bench data|",
     "The split that is shown or measured; train when it is not given."},
    {"seconds", '\0', "N", OptionGroup::input, "|bench data|",
     "Ends the measurement; 10 when it is not given. It ends with the epoch in any case."},
    {"output", 'o', "FILE", OptionGroup::output, "|show batch|new-plugin|",
     "The file of show batch, else views.png; the folder of new-plugin, else NAME."},
    {"points", '\0', "N", OptionGroup::output, "|show schedule|",
     "Rows of the table; 11 when it is not given."},
    {"time-limit", '\0', "SECONDS", OptionGroup::general, "|check-plugin|",
     "The longest that one check may take; 20 when it is not given."},
    {"nproc", '\0', "N", OptionGroup::ranks, "|run|",
     "Starts N ranks on this machine. torchrun's and SLURM's variables work without it."},
    {"rank", '\0', "N", OptionGroup::ranks, "|run|",
     "This process' number among the ranks, from 0."},
    {"world-size", '\0', "N", OptionGroup::ranks, "|run|", "How many ranks there are."},
    {"rendezvous", '\0', "HOST:PORT", OptionGroup::ranks, "|run|", "Where rank 0 listens."},
    {"to", '\0', "SYSTEM", OptionGroup::output, "|convert|",
     "The names to write: vissl, torchvision, timm, detectron2, classy ..., for which OUT's ending "
     "chooses the container (.safetensors, .pkl of numpy arrays, else torch); torch or safetensors "
     "change the container alone; sliced writes VISSL's files of one parameter each."},
    {"from", '\0', "SYSTEM", OptionGroup::input, "|convert|",
     "Whose names IN has; found by the names when it is not given."},
    {"part", '\0', "PLACE", OptionGroup::input, "|convert|",
     "Takes what stands below these whole dotted parts of IN's names: 'state_dict', "
     "'momentum_teacher'."},
    {"depth", '\0', "N", OptionGroup::input, "|convert|",
     "Refuses a ResNet of another depth: 18, 34, 50, 101 or 152."},
    {"heads", '\0', "", OptionGroup::input, "|convert|", "Takes the linear classifier along."},
    {"bgr", '\0', "", OptionGroup::input, "|convert|",
     "Reverses the input channels of the first convolution: BGR to RGB, or back."},
    {"force", '\0', "", OptionGroup::output, "|convert|", "Replaces OUT if it exists."},
    {"json", '\0', "", OptionGroup::output,
     "|list|describe|check-plugin|show config|show model|show models|show schedule|bench data|"
     "inspect|",
     "Prints JSON."},
    {"sha256", '\0', "", OptionGroup::output, "|inspect|",
     "Adds the SHA-256 of every tensor's bytes."},
    {"pretrained", '\0', "", OptionGroup::output, "|show models|",
     "Leaves out the networks: only weights that can be fetched by name."},
    {"max", '\0', "N", OptionGroup::output, "|inspect|",
     "Lists no more tensors than this as text; not with --json, which lists all."},
    {"origins", '\0', "", OptionGroup::output, "|show config|",
     "Prints one value per line with the place that it comes from."},
    {"color", '\0', "WHEN", OptionGroup::general, "",
     "always, never or auto: on a terminal, unless NO_COLOR is set."},
    {"quiet", 'q', "", OptionGroup::general, "", "Logs warnings and errors only."},
    {"verbose", 'v', "", OptionGroup::general, "", "Logs more."},
    {"log-level", '\0', "LEVEL", OptionGroup::general, "", "debug, info, warning or error."},
    {"log-format", '\0', "FORMAT", OptionGroup::general, "",
     "text or json: one object per line on stderr."},
    {"help", 'h', "", OptionGroup::general, "", "Prints this text."},
    {"version", '\0', "", OptionGroup::general, "", "Prints the version."},
};

}  // namespace

std::span<const CommandRow> command_rows() {
  return kCommands;
}
std::span<const OptionRow> option_rows() {
  return kOptions;
}

const CommandRow& command_row(Command command) {
  for (const CommandRow& row : kCommands)
    if (row.command == command) return row;
  return kCommands[0];
}

}  // namespace vissl::host
