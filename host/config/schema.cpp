#include "host/config/schema.hpp"

#include <algorithm>

#include "host/config/toml_read.hpp"

namespace vissl::host {

namespace schema {
namespace {

SchemaKey value(const char* name, std::uint32_t type, Value fallback, const char* vissl_key,
                const char* doc) {
  SchemaKey key;
  key.param.name = name;
  key.param.type = type;
  key.param.fallback = std::move(fallback);
  key.param.vissl_key = vissl_key;
  key.param.doc = doc;
  return key;
}

}  // namespace

SchemaKey boolean(const char* name, bool fallback, const char* vissl_key, const char* doc) {
  return value(name, VISSL_P_BOOL, Value::boolean(fallback), vissl_key, doc);
}

SchemaKey integer(const char* name, std::int64_t fallback, double min, const char* vissl_key,
                  const char* doc) {
  SchemaKey key = value(name, VISSL_P_INT, Value::integer(fallback), vissl_key, doc);
  key.param.min = min;
  return key;
}

SchemaKey number(const char* name, double fallback, double min, double max, const char* vissl_key,
                 const char* doc) {
  SchemaKey key = value(name, VISSL_P_NUMBER, Value::number(fallback), vissl_key, doc);
  key.param.min = min;
  key.param.max = max;
  return key;
}

SchemaKey text(const char* name, const char* fallback, const char* vissl_key, const char* doc) {
  return value(name, VISSL_P_STRING, Value::text(fallback), vissl_key, doc);
}

SchemaKey choice(const char* name, std::vector<std::string> choices, const char* vissl_key,
                 const char* doc) {
  SchemaKey key = value(name, VISSL_P_STRING, Value::text(choices.front()), vissl_key, doc);
  key.param.choices = std::move(choices);
  return key;
}

SchemaKey texts(const char* name, std::vector<std::string> fallback, const char* vissl_key,
                const char* doc) {
  Value list = Value::list();
  for (std::string& item : fallback) list.items().push_back(Value::text(std::move(item)));
  return value(name, VISSL_P_STRING | VISSL_P_LIST, std::move(list), vissl_key, doc);
}

SchemaKey any(const char* name, const char* fallback_toml, const char* vissl_key, const char* doc) {
  return value(name, VISSL_P_ANY, parse_toml_value(fallback_toml), vissl_key, doc);
}

SchemaKey required(SchemaKey key) {
  key.param.flags |= VISSL_P_REQUIRED;
  key.param.fallback.reset();
  return key;
}

SchemaKey optional(SchemaKey key) {
  key.param.flags |= VISSL_P_OPTIONAL;
  key.param.fallback.reset();
  return key;
}

SchemaKey section(const char* name, std::vector<SchemaKey> inner, const char* doc) {
  SchemaKey key = optional_section(name, std::move(inner), doc);
  key.present = true;
  return key;
}

SchemaKey optional_section(const char* name, std::vector<SchemaKey> inner, const char* doc) {
  SchemaKey key;
  key.shape = Shape::section;
  key.param.name = name;
  key.param.type = VISSL_P_TABLE;
  key.param.doc = doc;
  key.inner = std::move(inner);
  return key;
}

SchemaKey section_list(const char* name, std::vector<SchemaKey> inner, const char* vissl_key,
                       const char* doc) {
  SchemaKey key = value(name, VISSL_P_TABLE | VISSL_P_LIST, Value::list(), vissl_key, doc);
  key.shape = Shape::section_list;
  key.inner = std::move(inner);
  return key;
}

SchemaKey component(const char* name, const char* kind, const char* default_name, bool present,
                    std::vector<SchemaKey> inner, const char* vissl_key, const char* doc) {
  SchemaKey key;
  key.shape = Shape::component;
  key.param.name = name;
  key.param.type = VISSL_P_COMPONENT;
  key.param.component_kind = kind;
  key.param.vissl_key = vissl_key;
  key.param.doc = doc;
  key.present = present;
  key.default_name = default_name;
  key.inner = std::move(inner);
  return key;
}

SchemaKey component_list(const char* name, const char* kind, std::vector<SchemaKey> inner,
                         const char* vissl_key, const char* doc) {
  SchemaKey key = component(name, kind, "", false, std::move(inner), vissl_key, doc);
  key.shape = Shape::component_list;
  key.param.type = VISSL_P_COMPONENT | VISSL_P_LIST;
  key.param.fallback = Value::list();
  return key;
}

}  // namespace schema

namespace {

// A parameter that a component declares, as a place of the config.
SchemaKey declared_key(const Param& param) {
  SchemaKey key;
  key.param = param;
  if (param.element() == VISSL_P_COMPONENT)
    key.shape = param.is_list() ? Shape::component_list : Shape::component;
  if (param.component_kind == "lr_schedule") key.inner = schedule_keys();
  if (param.element() == VISSL_P_MODEL) {
    // What its table does not list comes from [model], so nothing is filled in.
    key.shape = Shape::section;
    key.inner = model_schema().inner;
    for (SchemaKey& inner : key.inner) {
      inner.param.fallback.reset();
      inner.present = false;
    }
  }
  return key;
}

SchemaKey name_key() {
  return schema::required(schema::text("name", "", "", "The component's id."));
}

}  // namespace

bool holds_components(const SchemaKey& place) {
  return place.shape == Shape::component || place.shape == Shape::component_list ||
         place.shape == Shape::component_or_list || place.shape == Shape::head_list;
}

std::string component_name(const SchemaKey& place, const Value* table) {
  const Value* name = table != nullptr ? table->find("name") : nullptr;
  return name != nullptr ? name->as_text() : place.default_name;
}

const std::vector<SchemaKey>* Schemas::component_keys(const SchemaKey& place,
                                                      const std::string& name,
                                                      const std::string& where) {
  const auto cached = components_.find({&place, name});
  if (cached != components_.end()) return &cached->second;
  const Declaration* declaration = index_.find(place.param.component_kind, name, where);
  if (declaration == nullptr) return nullptr;
  std::vector<SchemaKey> keys = {name_key()};
  // What the host adds counts, also where a component declares it too (schedules do); the
  // component's default stays.
  std::vector<SchemaKey> added = place.inner;
  for (const Param& param : declaration->params) {
    const auto twin = std::find_if(added.begin(), added.end(), [&](const SchemaKey& key) {
      return key.param.name == param.name;
    });
    if (twin == added.end())
      keys.push_back(declared_key(param));
    else if (twin->shape == Shape::value && param.fallback)
      twin->param.fallback = param.fallback;
  }
  keys.insert(keys.end(), added.begin(), added.end());
  return &components_.emplace(std::pair{&place, name}, std::move(keys)).first->second;
}

const SchemaKey* Schemas::child(const SchemaKey& place, const Value* table, std::string_view key) {
  const std::vector<SchemaKey>* keys = &place.inner;
  if (holds_components(place)) {
    const std::string name = component_name(place, table);
    if (!name.empty())
      keys = component_keys(place, name, table != nullptr ? table->origin().where() : "");
    if (keys == nullptr) return nullptr;
  }
  for (const SchemaKey& candidate : *keys)
    if (candidate.param.name == key) return &candidate;
  if (place.shape == Shape::section && !place.others.empty()) return &place.others.front();
  return nullptr;
}

const SchemaKey& root_schema() {
  using namespace schema;
  static const SchemaKey root = section(
      "",
      {
          component("engine", "engine", "train", true, {}, "engine_name", "What the run does."),
          integer("seed_value", 0, 0, "SEED_VALUE",
                  "Seed of initial weights, orders and augmentation."),
          integer("log_frequency", 10, 1, "LOG_FREQUENCY", "Train steps between two log lines."),
          boolean("test_only", false, "TEST_ONLY", "Runs test phases only."),
          boolean("test_model", true, "TEST_MODEL",
                  "Runs test phases when there is a [data.test]."),
          integer("test_every_num_epoch", 1, 1, "TEST_EVERY_NUM_EPOCH",
                  "Epochs between two test phases."),
          section(
              "machine",
              {
                  choice("device", {"auto", "cpu", "cuda"}, "MACHINE.DEVICE",
                         "Where tensors live."),
                  integer("threads", 0, 0, "",
                          "Threads of tensor operations; 0 = all cores that the process may use."),
                  choice("precision", {"auto", "fp32", "bf16", "fp16", "fp64"}, "MODEL.AMP_PARAMS",
                         "Arithmetic of forward passes; auto takes bf16 where the processor has "
                         "matrix units for it."),
                  section("loss_scaling",
                          {
                              number("init_scale", 65536.0, 1e-6, 1e30, "", "The scale at first."),
                              number("growth_factor", 2.0, 1.0, 1e6, "",
                                     "Multiplies it after growth_interval finite steps."),
                              number("backoff_factor", 0.5, 1e-6, 1.0, "",
                                     "Multiplies it after a gradient that is not finite."),
                              integer("growth_interval", 2000, 1, "",
                                      "Finite steps in a row before it grows."),
                          },
                          "Dynamic scale of the loss; fp16 only."),
                  boolean("channels_last", false, "",
                          "Keeps images and feature maps with channels innermost."),
                  boolean("deterministic", true, "REPRODUCIBILITY.CUDDN_DETERMINISTIC",
                          "Uses algorithms that give the same bits in every run."),
              },
              "The machine and its arithmetic."),
          data_schema(),
          model_schema(),
          component("loss", "loss", "", false, {}, "LOSS", "The loss."),
          optimizer_schema(),
          component_list("meters", "meter", {}, "METERS.names", "What is measured in each phase."),
          section("metering",
                  {
                      boolean("enable_training_meter", true, "METERS.enable_training_meter",
                              "Meters train phases too."),
                  },
                  "How the meters are used."),
          component_list("hooks", "hook", {}, "HOOKS",
                         "What acts between the parts of a step, in this order."),
          component_list(
              "weights_schemes", "weights_scheme",
              {text("prefix", "", "",
                    "Beginning of the locators that this entry is for, such as \"s3://bucket/\"; "
                    "without it all that begin with the scheme's name. The longest one answers."),
               boolean("force", false, "",
                       "Lets the entry take over the prefix of another scheme.")},
              "", "Parameters of the weights schemes that locators such as zoo://name use."),
          section(
              "distributed",
              {
                  boolean("broadcast_buffers", true, "DISTRIBUTED.BROADCAST_BUFFERS",
                          "Gives all ranks the first rank's buffers (batch-norm statistics) before "
                          "each train step and each pass without training."),
                  integer("bucket_cap_mb", 25, 1, "DATA.DDP_BUCKET_CAP_MB",
                          "MiB of gradients that are averaged in one message."),
                  boolean("zero", false, "OPTIMIZER.use_zero",
                          "Keeps each parameter's optimizer state on one rank alone, which saves "
                          "memory; the result is the same."),
                  number("timeout_seconds", 1800.0, 1.0, 1e6, "",
                         "How long a rank waits for the others in one exchange, and at the start."),
                  number("stall_seconds", 60.0, 1.0, 1e6, "",
                         "Silence after which a rank counts as lost, which ends the run."),
              },
              "Runs with several ranks."),
          section(
              "checkpoint",
              {
                  text("dir", "", "CHECKPOINT.DIR",
                       "Folder of the run, relative to the working folder; runs/<name of the "
                       "config file> when it is not given."),
                  integer("frequency", 1, 1, "CHECKPOINT.CHECKPOINT_FREQUENCY",
                          "Train phases between two checkpoints."),
                  integer("iter_frequency", -1, -1, "CHECKPOINT.CHECKPOINT_ITER_FREQUENCY",
                          "Train steps between two checkpoints inside a phase; -1 = none."),
                  boolean("auto_resume", true, "CHECKPOINT.AUTO_RESUME",
                          "Continues from the folder's newest checkpoint."),
                  boolean("overwrite_existing", false, "CHECKPOINT.OVERWRITE_EXISTING",
                          "Trains anew when the folder holds a finished run, and removes its "
                          "checkpoints; an unfinished one is resumed."),
                  integer("resume_file_num", 1, 1, "CHECKPOINT.LATEST_CHECKPOINT_RESUME_FILE_NUM",
                          "Resumes from the n-th newest checkpoint and renames the newer ones."),
                  integer("keep", 2, -1, "",
                          "Checkpoints inside a phase that are kept, newest first; 0 or -1 = all. "
                          "Those of a phase's end stay."),
                  boolean("exact", false, "", "Refuses a resume that would not be bit-equal."),
              },
              "What is saved, and where."),
      },
      "");
  return root;
}

}  // namespace vissl::host
