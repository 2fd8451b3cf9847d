#include "host/cli/environment.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vissl_build.hpp>

#include "host/cli/json_text.hpp"
#include "host/files/locator_text.hpp"

extern char** environ;

namespace vissl::host {
namespace {

constexpr const char* kPrefixes[] = {
    "VISSL_",          "SLURM_",  "OMP_",  "MKL_",   "KMP_",   "CUDA_",  "NCCL_",
    "GLOO_",           "TORCH",   "RANK=", "WORLD_", "LOCAL_", "MASTER", "LD_PRELOAD",
    "LD_LIBRARY_PATH", "MALLOC_", "ATEN_"};

std::vector<std::string> variables() {
  std::vector<std::string> out;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    const std::string text = *variable;
    if (std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                    [&](const char* prefix) { return text.starts_with(prefix); }))
      out.push_back(text);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name") && line.find(": ") != std::string::npos)
      return line.substr(line.find(": ") + 2);
  return "unknown";
}

}  // namespace

std::string environment_json(const std::vector<std::string>& arguments,
                             const std::vector<const PluginFile*>& plugins) {
  Value root = Value::table();
  Value command = Value::list();
  for (const std::string& argument : arguments)
    command.items().push_back(Value::text(without_secrets(argument)));
  root.set("command", std::move(command));
  std::error_code ignored;
  root.set("folder", Value::text(std::filesystem::current_path(ignored).string()));
  utsname names{};
  if (::uname(&names) == 0) {
    root.set("host", Value::text(names.nodename));
    root.set("system",
             Value::text(std::string(names.sysname) + " " + names.release + " " + names.machine));
  }
  root.set("processor", Value::text(processor()));
  root.set("cores", Value::integer(static_cast<std::int64_t>(std::thread::hardware_concurrency())));
  root.set("version", Value::text(VISSL_VERSION));
  root.set("build", Value::text(VISSL_BUILD_ID));
  root.set("compiler", Value::text("g++ " __VERSION__));
  Value used = Value::list();
  for (const PluginFile* plugin : plugins) {
    Value entry = Value::table();
    entry.set("id", Value::text(plugin->id));
    entry.set("version", Value::text(plugin->version));
    entry.set("file", Value::text(plugin->path));
    used.items().push_back(std::move(entry));
  }
  root.set("plugins", std::move(used));
  Value environment = Value::table();
  for (const std::string& variable : variables()) {
    const std::size_t equals = variable.find('=');
    environment.set(variable.substr(0, equals),
                    Value::text(without_secrets(variable.substr(equals + 1))));
  }
  root.set("environment", std::move(environment));
  return to_json(root) + "\n";
}

}  // namespace vissl::host
