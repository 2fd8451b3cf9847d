#include "host/config/schema.hpp"

namespace vissl::host {
namespace {

SchemaKey num_workers() {
  SchemaKey key = schema::any("num_workers", "\"auto\"", "DATA.NUM_DATALOADER_WORKERS",
                              "Threads that read and transform images; \"auto\" = one per core.");
  key.param.type = kIntegerOrAuto;
  key.param.min = 0;
  key.param.max = 1024;
  return key;
}

// [data.train], [data.test] and any other split.
SchemaKey split_schema() {
  using namespace schema;
  SchemaKey indices = optional(
      any("indices", "[]", "",
          "Positions of the views that the transform works on; all when it is not given."));
  indices.param.type = VISSL_P_INT | VISSL_P_LIST;
  indices.param.min = 0;
  return optional_section(
      "",
      {
          required(component_list("data_sources", "data_source", {}, "DATA_SOURCES",
                                  "Where the images come from.")),
          component_list("label_sources", "data_source", {}, "LABEL_SOURCES",
                         "Where the labels come from, one per entry of data_sources; without it "
                         "the data sources' own."),
          choice("label_type", {"standard", "sample_index", "zero"}, "LABEL_TYPE",
                 "What stands in for labels."),
          component_list("transforms", "transform", {indices}, "TRANSFORMS",
                         "What happens to each sample, in this order."),
          component("collator", "collator", "default_collate", true, {}, "COLLATE_FUNCTION",
                    "How samples become a batch."),
          component("sampler", "sampler", "distributed", true, {},
                    "USE_STATEFUL_DISTRIBUTED_SAMPLER", "Which samples make up each batch."),
          integer("batchsize_per_replica", 256, 1, "BATCHSIZE_PER_REPLICA",
                  "Samples of a batch, per process."),
          boolean("drop_last", false, "DROP_LAST", "Leaves out a last batch that is not full."),
          section("data_limit",
                  {
                      integer("count", -1, -1, "DATA_LIMIT", "Samples that are used; -1 = all."),
                      integer("seed", 0, 0, "DATA_LIMIT_SAMPLING.SEED", "Seed of the choice."),
                      boolean("is_balanced", false, "DATA_LIMIT_SAMPLING.IS_BALANCED",
                              "Takes the same number of each class."),
                      integer("skip_num_samples", 0, 0, "DATA_LIMIT_SAMPLING.SKIP_NUM_SAMPLES",
                              "Samples of the shuffled order to leave out first."),
                  },
                  "The part of the data that is used."),
          texts("input_key_names", {"data"}, "INPUT_KEY_NAMES",
                "Fields of the batch that the model sees."),
          texts("target_key_names", {"label"}, "TARGET_KEY_NAMES",
                "Fields of the batch that the loss and the meters see."),
          boolean("enable_queue_dataset", false, "ENABLE_QUEUE_DATASET",
                  "Replaces an unreadable image by one that was read shortly before."),
          integer("default_gray_img_size", 224, 1, "DEFAULT_GRAY_IMG_SIZE",
                  "Side in pixels of the gray image that replaces an unreadable one."),
          choice("sampling", {"each_once", "vissl"}, "",
                 "Test phases: every sample once, or VISSL's way with padding samples that count "
                 "twice."),
      },
      "One split of the data.");
}

}  // namespace

SchemaKey data_schema() {
  using namespace schema;
  SchemaKey data = section(
      "data",
      {
          num_workers(),
          choice("arithmetic", {"exact"}, "", "Pixels equal those of Pillow and torchvision."),
          boolean("pin_memory", true, "DATA.PIN_MEMORY",
                  "Batches for a GPU lie in page-locked memory, which it reads directly; a CPU "
                  "needs none."),
          boolean("async_copy", true, "DATA.ENABLE_ASYNC_GPU_COPY",
                  "The next batch is copied to the GPU while the current one computes; the values "
                  "are the same."),
          number("max_invalid_fraction", 0.1, 0.0, 1.0, "",
                 "Share of unreadable images above which the run stops."),
      },
      "The data path; its tables are the splits: [data.train], [data.test], any other name.");
  data.others.push_back(split_schema());
  return data;
}

}  // namespace vissl::host
