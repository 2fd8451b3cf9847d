#include <algorithm>

#include "host/cli/commands.hpp"
#include "host/data/engine.hpp"
#include "host/data/memory.hpp"
#include "host/data/settings.hpp"
#include "host/data/show_batch.hpp"
#include "host/files/atomic_file.hpp"

namespace vissl::host {
void require_split(const Value& config, const std::string& split) {
  const std::vector<std::string> names = split_names(config);
  if (std::find(names.begin(), names.end(), split) != names.end()) return;
  std::string known;
  for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
  throw Error(Exit::usage, "the config has no split [data." + split + "]" +
                               (known.empty() ? "" : "; it has " + known));
}

int show_batch_command(const CommandContext& context) {
  Session session(context);
  const Value& config = session.config();
  const std::string& split = context.options.split;
  require_split(config, split);
  const std::unique_ptr<DataEngine> data =
      make_data_engine(&config, session.catalogue(), context.log);
  PhaseSpec spec;
  spec.split = split;
  spec.training = split == "train";
  const std::unique_ptr<Phase> phase = data->open(spec, plain_memory());
  const std::shared_ptr<Batch> batch = phase->next();
  if (!batch)
    throw Error(Exit::bad_data, "the split [data." + split + "] has no batch; it has " +
                                    std::to_string(data->length(split)) + " samples");
  const std::filesystem::path output =
      context.options.output.empty() ? "views.png" : context.options.output;
  const bool numbers = output.extension() == ".npy";
  if (numbers) {
    write_images_npy(output, *batch);
  } else {
    write_text_atomic(output, data->sheet_png(split, *batch));
  }
  print(field_table(*batch));
  context.log.log(LogLevel::info, "wrote " + output.string() +
                                      (numbers ? ": the values of the images as the model gets them"
                                               : ": a row per sample, a column per view"));
  return 0;
}

}  // namespace vissl::host
