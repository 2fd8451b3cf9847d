#include "host/config/schema.hpp"

namespace vissl::host {
namespace {

SchemaKey feature_eval() {
  using namespace schema;
  return section(
      "feature_eval",
      {
          boolean("eval_mode_on", false, "EVAL_MODE_ON", "Switches the evaluation of features on."),
          boolean("freeze_trunk_only", false, "FREEZE_TRUNK_ONLY", "Trains the heads alone."),
          boolean("freeze_trunk_and_head", false, "FREEZE_TRUNK_AND_HEAD", "Trains nothing."),
          boolean("extract_trunk_features_only", false, "EXTRACT_TRUNK_FEATURES_ONLY",
                  "Returns features of the trunk and skips the heads."),
          boolean("eval_trunk_and_head", false, "EVAL_TRUNK_AND_HEAD",
                  "Loads the heads' weights too when features are evaluated."),
          boolean("assert_head_layer_shape_init", true, "ASSERT_HEAD_LAYER_SHAPE_INIT",
                  "Refuses weights of a head whose shape differs; false leaves them out."),
          boolean("should_flatten_feats", true, "SHOULD_FLATTEN_FEATS",
                  "Flattens pooled features to (N, D)."),
          section_list(
              "features",
              {
                  required(text("name", "", "", "A feature of the trunk, such as res5.")),
                  text("pool", "Identity", "", "Pooling operation, such as AdaptiveAvgPool2d."),
                  any("args", "[]", "", "Arguments of the pooling operation, in order."),
              },
              "LINEAR_EVAL_FEAT_POOL_OPS_MAP",
              "The features that are evaluated, each with its pooling."),
      },
      "Evaluation of a trunk's features.");
}

SchemaKey weights_init() {
  using namespace schema;
  SchemaKey key = component(
      "weights_init", "weights", "pretrained", false,
      {
          text("part", "", "",
               "The part of the model that the file is for: trunk, heads.0; empty = all of it."),
          number("min_coverage", 0.5, 0, 1, "",
                 "Loading fails when less of the trunk's elements than this part are in the file; "
                 "under 0.95 it warns. Of a list the least counts, for all files together."),
          boolean("dry_run", false, "", "Shows what would be loaded, and ends."),
          choice("checksums", {"warn", "error", "off"}, "",
                 "What comes of data in the file whose checksum is wrong; off does not look."),
          choice("byte_order", {"little", "big"}, "",
                 "Of a file of torch that does not say its own; those since 2.1 do."),
          text("report", "", "", "File for a JSON report of what was loaded from where."),
      },
      "MODEL.WEIGHTS_INIT",
      "Weights to begin with. Of a list each table is applied after those before it and may "
      "overwrite what they loaded.");
  key.shape = Shape::component_or_list;
  return key;
}

}  // namespace

SchemaKey model_schema() {
  using namespace schema;
  SchemaKey heads = component_list("heads", "head", {}, "MODEL.HEAD.PARAMS",
                                   "The heads; a list inside the list is one chained head.");
  heads.shape = Shape::head_list;
  SchemaKey features = texts("features", {}, "", "Features of the trunk.");
  SchemaKey extra = texts("extra", {}, "", "Further fields of the batch that the trunk sees.");
  return section(
      "model",
      {
          component("trunk", "trunk", "", false, {}, "MODEL.TRUNK",
                    "The network that turns images into features."),
          heads,
          section("head_defaults",
                  {
                      number("batchnorm_eps", 1e-5, 0.0, 1.0, "MODEL.HEAD.BATCHNORM_EPS",
                             "Added to the variance."),
                      number("batchnorm_momentum", 0.1, 0.0, 1.0, "MODEL.HEAD.BATCHNORM_MOMENTUM",
                             "Weight of the newest batch."),
                      number("params_multiplier", 1.0, 0.0, 1e6, "MODEL.HEAD.PARAMS_MULTIPLIER",
                             "Scales the initial weights."),
                  },
                  "Defaults of the heads' parameters of the same name."),
          section_list("inputs",
                       {
                           required(text("key", "", "", "A field of the batch.")),
                           features,
                           optional(integer("head", 0, 0, "",
                                            "Position of the head; without it the entry's own.")),
                           extra,
                       },
                       "MODEL.MULTI_INPUT_HEAD_MAPPING",
                       "Which field of the batch goes to which head; empty = all to all."),
          feature_eval(),
          weights_init(),
          section("activation_checkpointing",
                  {
                      boolean("use_activation_checkpointing", false,
                              "MODEL.ACTIVATION_CHECKPOINTING.USE_ACTIVATION_CHECKPOINTING",
                              "Computes each block of the trunk again in the backward pass "
                              "instead of keeping its activations. There is no "
                              "NUM_ACTIVATION_CHECKPOINTING_SPLITS: the trunk's blocks are the "
                              "splits."),
                  },
                  "Memory against time."),
          section("sync_bn",
                  {
                      boolean("convert_bn_to_sync_bn", false,
                              "MODEL.SYNC_BN_CONFIG.CONVERT_BN_TO_SYNC_BN",
                              "Batch norm uses the statistics of several ranks' batches together."),
                      integer("group_size", -1, -1, "MODEL.SYNC_BN_CONFIG.GROUP_SIZE",
                              "Ranks that share statistics, in blocks of consecutive ones; -1 = "
                              "those of one machine, 0 = all."),
                  },
                  "Batch norm over several ranks."),
          texts("non_trainable_params", {}, "MODEL.NON_TRAINABLE_PARAMS",
                "Names of parameters that stay as they are; * matches any text."),
          section_list(
              "temp_frozen_params",
              {
                  required(text("name", "", "", "Name of a parameter; * matches any text.")),
                  required(
                      integer("iterations", 0, 0, "", "Train steps for which it stays as it is.")),
              },
              "MODEL.TEMP_FROZEN_PARAMS_ITER_MAP", "Parameters that are not trained at first."),
          choice("input_type", {"rgb", "bgr", "lab"}, "MODEL.INPUT_TYPE",
                 "Meaning of the image's channels."),
          boolean("single_pass_every_crop", false, "MODEL.SINGLE_PASS_EVERY_CROP",
                  "One pass of the trunk per crop instead of per resolution."),
      },
      "The model.");
}

}  // namespace vissl::host
