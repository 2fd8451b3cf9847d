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
