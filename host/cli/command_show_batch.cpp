#include "host/cli/commands.hpp"
#include "host/cli/split_view.hpp"
#include "host/data/memory.hpp"
#include "host/data/show_batch.hpp"
#include "host/files/atomic_file.hpp"

namespace vissl::host {

int show_batch_command(const CommandContext& context) {
  const std::filesystem::path output =
      context.options.output.empty() ? "views.png" : context.options.output;
  const bool numbers = output.extension() == ".npy";
  if (!numbers && output.extension() != ".png")
    throw Error(Exit::usage, "--output '" + output.string() +
                                 "': show batch writes a contact sheet to a .png file, or the "
                                 "images' values to a .npy file");
  SplitView split(context);
  const std::unique_ptr<Phase> phase = split.data->open(split.spec, plain_memory());
  const std::shared_ptr<Batch> batch = phase->next();
  if (numbers) {
    write_images_npy(output, *batch);
  } else {
    write_text_atomic(output, split.data->sheet_png(split.spec.split, *batch));
  }
  print(field_table(*batch));
  context.log.log(LogLevel::info, "wrote " + output.string() +
                                      (numbers ? ": the values of the images as the model gets them"
                                               : ": a row per sample, a column per view"));
  return 0;
}

}  // namespace vissl::host
