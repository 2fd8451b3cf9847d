#include "host/cli/session.hpp"

#include <vissl/batch.h>
#include <vissl/image.h>
#include <vissl/sample.h>

#include <algorithm>
#include <cstdlib>

#include "host/cli/executable.hpp"
#include "host/cli/runtime_loader.hpp"
#include "host/config/schema.hpp"
#include "host/data/engine.hpp"
#include "host/plugin/search_path.hpp"

namespace vissl::host {

Session::Session(const CommandContext& context) : context_(context) {
  const char* variable = std::getenv("VISSL_PLUGIN_PATH");
  std::vector<std::string> places = plugin_places(
      context.options.plugins, variable != nullptr ? variable : "", executable_folder());
  std::vector<PluginFile> files = discover_plugins(places);
  for (const PluginFile& file : files) {
    // A file that the user named, not one that lies in a folder.
    if (!file.problem.empty() && std::find(places.begin(), places.end(), file.path) != places.end())
      throw Error(Exit::bad_plugin, "plugin '" + file.path + "' " + file.problem);
    if (!file.problem.empty())
      context.log.log(LogLevel::debug, "plugin '" + file.path + "' " + file.problem);
  }
  catalogue_ = std::make_unique<PluginCatalogue>(std::move(places), std::move(files),
                                                 own_declarations(), services_);
  catalogue_->use_log(&context_.log);
  for (const char* id : {VISSL_IMAGE_ID, VISSL_SAMPLE_ID, VISSL_BATCH_ID})
    services_.offer(id, data_service(id));
  services_.offer_libtorch(libtorch_of_runtime(executable_folder()));
}

const Value& Session::config() {
  if (config_.root) return *config_.root;
  config_ = resolve_config(context_.options.configs, context_.options.settings, *catalogue_);
  for (const std::string& note : config_.notes) context_.log.log(LogLevel::info, note);
  for (const std::string& warning : config_.warnings) context_.log.log(LogLevel::warning, warning);
  catalogue_->use_schemes(config_.root->find("weights_schemes"));
  return *config_.root;
}

}  // namespace vissl::host
