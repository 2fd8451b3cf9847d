#include "host/config/schema.hpp"

namespace vissl::host {

std::vector<SchemaKey> schedule_keys() {
  using namespace schema;
  return {
      choice("update_interval", {"epoch", "step"}, "update_interval",
             "When the value is computed anew."),
      section(
          "auto_lr_scaling",
          {
              boolean("auto_scale", false, "auto_scale", "Scales all values with the batch size."),
              number("base_value", 0.1, 0.0, 1e9, "base_value",
                     "Value that belongs to the base batch size."),
              integer("base_lr_batch_size", 256, 1, "base_lr_batch_size",
                      "The base batch size, over all processes."),
              choice("scaling_type", {"linear", "sqrt"}, "scaling_type", "Law of the scale."),
          },
          "The scale of the values."),
  };
}

SchemaKey optimizer_schema() {
  using namespace schema;
  SchemaKey schedulers = optional_section(
      "param_schedulers", {}, "One schedule per hyper-parameter: lr, lr_head, weight_decay.");
  schedulers.present = true;
  schedulers.others.push_back(
      component("", "lr_schedule", "", false, schedule_keys(), "", "A schedule."));
  return component(
      "optimizer", "optimizer", "", false,
      {
          integer("num_epochs", 90, 1, "OPTIMIZER.num_epochs", "Train phases."),
          integer("accumulate_batches", 1, 1, "",
                  "Batches whose gradients one step adds up; the batch size of the schedules and "
                  "of auto_lr_scaling is that of all of them."),
          component("param_groups", "param_groups", "default", true, {},
                    "OPTIMIZER.param_group_constructor", "How parameters share hyper-parameters."),
          schedulers,
      },
      "OPTIMIZER", "The optimizer.");
}

std::vector<Declaration> own_declarations() {
  const auto engine = [](const char* name, const char* sentence) {
    Declaration declaration;
    declaration.kind = "engine";
    declaration.name = name;
    declaration.sentence = sentence;
    declaration.file = "host";
    declaration.plugin_id = "host";
    declaration.requirements.push_back({"model.trunk", {}, "it runs a model", ""});
    return declaration;
  };
  Declaration train = engine("train", "Trains the model, with test phases in between.");
  train.requirements.push_back({"loss", {}, "it computes a loss", ""});
  train.requirements.push_back({"optimizer", {}, "it trains", "test_only"});
  train.requirements.push_back({"data.train", {}, "it trains", "test_only"});

  Declaration extract = engine("extract_features", "Writes the features of all samples to files.");
  SchemaKey folder = schema::text("output_dir", "", "EXTRACT_FEATURES.OUTPUT_DIR",
                                  "Folder of the files; checkpoint.dir when it is empty.");
  SchemaKey chunk = schema::integer("chunk_threshold", -1, -1, "EXTRACT_FEATURES.CHUNK_THRESHOLD",
                                    "Samples per file: -1 = all in one, 0 = one file per batch.");
  extract.params = {folder.param, chunk.param};
  return {std::move(train), std::move(extract)};
}

}  // namespace vissl::host
