// Trunks that `auto` finds under names in whose middle a wrapper or an average stands.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "pretrained_test.hpp"

namespace {

const std::string kTrunk = "trunk._feature_blocks.";
const Shapes kResnet = {{kTrunk + "conv1.weight", {4, 3, 3, 3}},
                        {kTrunk + "bn1.weight", {4}},
                        {kTrunk + "layer1.0.conv1.weight", {8, 4, 3, 3}},
                        {kTrunk + "layer1.0.downsample.1.bias", {8}}};

}  // namespace

TEST_CASE("auto: SEER's RegNets load whole, with and without VISSL's wrapper for features") {
  const std::string vissl = "classy_state_dict.base_model.model.";
  const Shapes regnet = {{kTrunk + "conv1.stem.0.weight", {4, 3, 3, 3}},
                         {kTrunk + "res2.block1-0.f.se.excitation.2.weight", {8, 2, 1, 1}},
                         {kTrunk + "res2.block1-0.proj.weight", {8, 4, 1, 1}}};
  for (const std::string place : {"trunk._feature_blocks.", "trunk.base_model._feature_blocks."}) {
    Shapes file = {{vissl + "heads.0.clf.0.weight", {16, 8}}, {"loss.prototypes", {30, 16}}};
    for (const auto& tensor : regnet)
      file.push_back({vissl + place + tensor.name.substr(kTrunk.size()), tensor.shape});
    const Lines lines = auto_plan(file, regnet);
    for (const auto& tensor : regnet)
      CHECK(has(lines, "load " + vissl + place + tensor.name.substr(kTrunk.size()) + " -> " +
                           tensor.name));
  }
}

TEST_CASE("auto: VISSL's heads load under their own names, whole ones and several layers") {
  const std::string vissl = "classy_state_dict.base_model.model.";
  Shapes model = kResnet;
  for (const char* name : {"heads.0.clf.0.weight", "heads.0.clf.2.weight", "heads.1.clf.0.weight"})
    model.push_back({name, {8, 8}});
  for (const std::string& place : {vissl, std::string()}) {
    Shapes file;
    for (const auto& tensor : model) file.push_back({place + tensor.name, tensor.shape});
    const Lines lines = auto_plan(file, model);
    for (const auto& tensor : model)
      CHECK(has(lines, "load " + place + tensor.name + " -> " + tensor.name));
    CHECK(error("profile = \"auto\"\npath = \"a\"\nstrict = true", file, model) == "no error");
  }
  // A file for the heads alone may have the trunk beside them.
  const Shapes head = {{"heads.1.clf.0.weight", {8, 8}}};
  Shapes file = {{"heads.1.clf.0.weight", {8, 8}}, {"trunk.conv1.weight", {4, 3, 3, 3}}};
  for (const char* profile : {"auto", "timm", "essmc2"}) {
    CAPTURE(profile);
    const Lines lines =
        plan("profile = \"" + std::string(profile) + "\"\npath = \"a\"", file, head);
    CHECK(has(lines, "load heads.1.clf.0.weight -> heads.1.clf.0.weight"));
  }
}

TEST_CASE("auto: counters of batches do not decide which network is meant") {
  Shapes model = kResnet, file;
  model.push_back({kTrunk + "bn1.num_batches_tracked", {}});
  for (const auto& tensor : model) {
    const std::string name = tensor.name.substr(kTrunk.size());
    file.push_back({"model_ema." + name, tensor.shape});
    if (name != "bn1.num_batches_tracked") file.push_back({"model." + name, tensor.shape});
  }
  CHECK(has(auto_plan(file, model), "load model.conv1.weight -> " + kTrunk + "conv1.weight"));
  // And no network is made of counters.
  CHECK(error("profile = \"auto\"\npath = \"a\"", {{"bn1.num_batches_tracked", {}}}, model)
            .find("no prefix and no system's names make any tensor of the file fit") == 0);
}

TEST_CASE("auto: averages are known by whole words of their names") {
  const auto chosen = [](const std::string& first, const std::string& second) {
    Shapes file;
    for (const std::string& place : {first, second})
      for (const auto& tensor : kResnet)
        file.push_back({place + "." + tensor.name.substr(kTrunk.size()), tensor.shape});
    const Lines lines = auto_plan(file, kResnet);
    return has(lines, "load " + second + ".conv1.weight -> " + kTrunk + "conv1.weight");
  };
  for (const char* average : {"averaged_model.module", "a_avg", "swa_model", "shadow", "model_ema",
                              "encoder_k", "target_encoder"}) {
    CAPTURE(average);
    CHECK(chosen(average, "model"));
  }
  CHECK(!chosen("schema", "zmodel"));  // "schema" is no average: the first of equals stays
}

TEST_CASE("auto: an average that is wanted and not there is told") {
  Shapes file;
  for (const auto& tensor : kResnet)
    file.push_back({"model." + tensor.name.substr(kTrunk.size()), tensor.shape});
  const std::string wanted = "profile = \"auto\"\npath = \"a\"\nuse_ema = ";
  CHECK(has(plan(wanted + "true", file, kResnet),
            "say 2: weights: use_ema = true, but nothing in the file is named as an average; "
            "sub_level opens the one that is meant"));
  CHECK(!has(plan(wanted + "false", file, kResnet),
             "say 2: weights: use_ema = false, but nothing but averages fits the model"));
  for (auto& tensor : file) tensor.name.insert(0, "ema.");
  CHECK(has(plan(wanted + "false", file, kResnet),
            "say 2: weights: use_ema = false, but nothing but averages fits the model"));
}

TEST_CASE("auto: two layers that could be the classifier are told, and neither is taken") {
  Shapes model = kResnet, file;
  model.push_back({"heads.0.clf.0.weight", {4, 8}});
  for (const auto& tensor : kResnet)
    file.push_back({tensor.name.substr(kTrunk.size()), tensor.shape});
  file.push_back({"fc.weight", {4, 8}});
  file.push_back({"head.weight", {4, 8}});
  const std::string told =
      "say 2: weights: fc, head of the file could each be the classifier, so that none is loaded; "
      "say which, as in classifier = [\"fc\"]";
  CHECK(has(auto_plan(file, model), told));
  CHECK(!has(auto_plan(file, kResnet), told));
  CHECK(has(plan("profile = \"auto\"\npath = \"a\"\nclassifier = [\"fc\"]", file, model),
            "load fc.weight -> heads.0.clf.0.weight"));
  // Its name may leave out what stands before the trunk.
  for (auto& tensor : file) tensor.name = "state_dict.model." + tensor.name;
  CHECK(has(plan("profile = \"auto\"\npath = \"a\"\nclassifier = [\"head\"]", file, model),
            "load state_dict.model.head.weight -> heads.0.clf.0.weight"));
  for (auto& tensor : file) tensor.name.erase(0, std::string("state_dict.model.").size());
  // Rows that an offset cannot leave are no rows.
  CHECK(error("profile = \"auto\"\npath = \"a\"\nclassifier = [\"fc\"]\nlabel_offset = 1", file,
              model) ==
        "label_offset = 1 leaves fewer rows of 'fc.weight' torch.Size([4, 8]) than "
        "'heads.0.clf.0.weight' of the model has; set it to 0, or change the classes of the head");
}

TEST_CASE("auto: a vision transformer that averages its tokens is told") {
  const Shapes model = {{"trunk.cls_token", {1, 1, 8}},
                        {"trunk.norm.weight", {8}},
                        {"trunk.blocks.0.norm1.weight", {8}}};
  const Lines lines = auto_plan(
      {{"cls_token", {1, 1, 8}}, {"blocks.0.norm1.weight", {8}}, {"fc_norm.weight", {8}}}, model);
  CHECK(has(lines,
            "say 2: weights: 'fc_norm.weight' of the file normalises the mean of its tokens, but "
            "the trunk takes the class token: its features will not be those of the network that "
            "was saved"));
}

TEST_CASE("auto: a trunk is found as deep in a file as convert finds it") {
  const std::string deep = "classy_state_dict.loss.momentum_teacher.module.trunk.base_model.x.y.";
  const Lines lines = auto_plan({{deep + "conv1.weight", {4, 3, 3, 3}}}, kResnet);
  CHECK(has(lines, "load " + deep + "conv1.weight -> " + kTrunk + "conv1.weight"));
}

TEST_CASE("auto: a RegNet whose stages VISSL's regnet_v2 put into parts loads whole") {
  const std::string file = "classy_state_dict.base_model.model.trunk._feature_blocks.";
  const Shapes model = {{kTrunk + "conv1.stem.0.weight", {4, 3, 3, 3}},
                        {kTrunk + "res2.block1-0.proj.weight", {8, 4, 1, 1}},
                        {kTrunk + "res2.block1-12.f.a.0.weight", {8, 8, 1, 1}}};
  const Lines lines = auto_plan({{file + "conv1.stem.0.weight", {4, 3, 3, 3}},
                                 {file + "res2.block1-part0.block1-0.proj.weight", {8, 4, 1, 1}},
                                 {file + "res2.block1-part3.block1-12.f.a.0.weight", {8, 8, 1, 1}}},
                                model);
  CHECK(has(lines, "say 1: weights: chosen '" + file + "…' as '" + kTrunk +
                       "…' (VISSL's RegNet in parts): 100.0 % of the trunk in 3 tensors"));
  CHECK(has(lines, "load " + file + "res2.block1-part3.block1-12.f.a.0.weight -> " + kTrunk +
                       "res2.block1-12.f.a.0.weight"));
}

TEST_CASE("auto: lightly's files have the trunk as a Sequential, beside its average") {
  const Shapes file = {{"state_dict.backbone_momentum.0.weight", {4, 3, 3, 3}},
                       {"state_dict.backbone_momentum.1.weight", {4}},
                       {"state_dict.backbone_momentum.4.0.conv1.weight", {8, 4, 3, 3}},
                       {"state_dict.backbone_momentum.4.0.downsample.1.bias", {8}},
                       {"state_dict.backbone.0.weight", {4, 3, 3, 3}},
                       {"state_dict.backbone.1.weight", {4}},
                       {"state_dict.backbone.4.0.conv1.weight", {8, 4, 3, 3}},
                       {"state_dict.backbone.4.0.downsample.1.bias", {8}},
                       {"state_dict.projection_head.layers.0.weight", {16, 8}}};
  const Lines lines = auto_plan(file, kResnet);
  CHECK(has(lines,
            "load state_dict.backbone.4.0.downsample.1.bias -> "
            "trunk._feature_blocks.layer1.0.downsample.1.bias"));
  CHECK(has(lines, "load state_dict.backbone.0.weight -> trunk._feature_blocks.conv1.weight"));
}

TEST_CASE("auto: parts that wrappers put into the middle of names are passed over") {
  struct Case {
    const char* first;  // conv1.weight
    const char* third;  // layer1.0.conv1.weight
    const char* parts;
  };
  for (const Case& c :
       {Case{"state_dict._fsdp_wrapped_module.conv1.weight",
             "state_dict._fsdp_wrapped_module.layer1._fsdp_wrapped_module.0.conv1.weight",
             "'_fsdp_wrapped_module.'"},
        Case{"conv1.weight", "layer1._fpw_module.0.conv1.weight", "'_fpw_module.'"},
        Case{"conv1._orig_mod.weight", "layer1.0._checkpoint_wrapped_module.conv1.weight",
             "'_checkpoint_wrapped_module.', '_orig_mod.'"},
        Case{"module.conv1.weight", "module.layer1.module.0.conv1.weight", "'module.'"}}) {
    const Lines lines = auto_plan(
        {{c.first, {4, 3, 3, 3}}, {c.third, {8, 4, 3, 3}}, {"queue", {128, 64}}}, kResnet);
    CHECK(has(lines, "load " + std::string(c.first) + " -> trunk._feature_blocks.conv1.weight"));
    CHECK(has(lines,
              "load " + std::string(c.third) + " -> trunk._feature_blocks.layer1.0.conv1.weight"));
    CHECK(has(lines, std::string("say 1: weights: the file's names are read without ") + c.parts));
  }
  // Lines that fit as they are stay so.
  CHECK(has(auto_plan({{"module.conv1.weight", {4, 3, 3, 3}}}, kResnet),
            "say 1: weights: chosen 'module.…' as 'trunk._feature_blocks.…' (the same names): 26.4 "
            "% of the trunk in 1 tensors"));
}
