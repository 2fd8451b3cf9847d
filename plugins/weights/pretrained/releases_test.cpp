// Files as the official releases of methods, and lightly, solo-learn and Lightning, lay them out:
// each is recognised without a setting.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "pretrained_test.hpp"

namespace {

Shapes below(const std::string& prefix, Shapes shapes) {
  for (auto& item : shapes) item.name.insert(0, prefix);
  return shapes;
}

const Shapes kResNet = {{"conv1.weight", {4, 3, 3, 3}},
                        {"bn1.weight", {4}},
                        {"layer1.0.conv1.weight", {8, 4, 3, 3}},
                        {"layer4.1.bn2.bias", {8}}};
const Shapes kVit = {{"cls_token", {1, 1, 8}},
                     {"patch_embed.proj.weight", {8, 3, 4, 4}},
                     {"blocks.0.attn.qkv.weight", {24, 8}},
                     {"norm.bias", {8}}};

struct Release {
  const char* name;
  const Shapes& network;
  Lines prefixes;  // of copies of the network; the first is the one to take
  Shapes rest;
};

const std::vector<Release>& releases() {
  static const std::vector<Release> list = {
      {"MoCo v1",
       kResNet,
       {"state_dict.module.encoder_q.", "state_dict.module.encoder_k."},
       {{"state_dict.module.queue", {128, 16}},
        {"state_dict.module.encoder_q.fc.weight", {128, 8}}}},
      {"MoCo v2",
       kResNet,
       {"state_dict.module.encoder_q.", "state_dict.module.encoder_k."},
       {{"state_dict.module.encoder_q.fc.0.weight", {8, 8}}}},
      {"MoCo v3",
       kVit,
       {"state_dict.module.base_encoder.", "state_dict.module.momentum_encoder."},
       {{"state_dict.module.predictor.0.weight", {8, 8}}}},
      {"SimSiam",
       kResNet,
       {"state_dict.module.encoder."},
       {{"state_dict.module.predictor.0.weight", {8, 8}}}},
      {"SwAV",
       kResNet,
       {"module."},
       {{"module.projection_head.0.weight", {8, 8}}, {"module.prototypes.weight", {30, 8}}}},
      {"DINO, backbone", kVit, {""}, {}},
      {"DINO, checkpoint",
       kVit,
       {"teacher.backbone.", "student.module.backbone."},
       {{"teacher.head.last_layer.weight_g", {16, 1}},
        {"teacher.head.last_layer.weight_v", {16, 8}}}},
      {"DINOv2, training",
       kVit,
       {"teacher.backbone."},
       {{"teacher.dino_head.mlp.0.weight", {8, 8}}}},
      {"Barlow Twins, VICReg",
       kResNet,
       {"model.module.backbone."},
       {{"model.module.projector.0.weight", {8, 8}}}},
      {"MAE",
       kVit,
       {"model."},
       {{"model.decoder_embed.weight", {4, 8}}, {"model.mask_token", {1, 1, 4}}}},
      {"I-JEPA",
       kVit,
       {"encoder.module.", "target_encoder.module."},
       {{"predictor.norm.weight", {4}}}},
      {"iBOT", kVit, {"state_dict."}, {}},
      {"OpenCLIP", kVit, {"visual.trunk."}, {{"logit_scale", {}}}},
      {"solo-learn",
       kResNet,
       {"state_dict.backbone.", "state_dict.momentum_backbone."},
       {{"state_dict.projector.0.weight", {8, 8}}, {"state_dict.queue", {2, 8}}}},
      {"solo-learn, old", kResNet, {"state_dict.encoder."}, {}},
      {"BYOL",
       kResNet,
       {"online_encoder.net.", "target_encoder.net."},
       {{"online_predictor.0.weight", {16, 16}}}},
      {"VISSL's DINO",
       kVit,
       {"classy_state_dict.base_model.model.trunk.", "loss.momentum_teacher.module.trunk."},
       {{"loss.center", {1, 30}}}},
      {"lightly's benchmarks",
       kResNet,
       {"state_dict.backbone.", "state_dict.backbone_momentum."},
       {{"state_dict.online_classifier.linear.weight", {10, 8}}}},
      {"Lightning", kResNet, {"state_dict.model."}, {{"state_dict.criterion.weight", {3}}}},
      {"torch.compile", kResNet, {"model._orig_mod."}, {}},
      {"an average of timm's", kResNet, {"state_dict.", "state_dict_ema."}, {}},
  };
  return list;
}

}  // namespace

TEST_CASE("auto: a look-alike of every official release loads whole, and the choice is told") {
  for (const Release& release : releases()) {
    INFO(release.name);
    const std::string place = &release.network == &kVit ? "trunk." : "trunk._feature_blocks.";
    Shapes file = release.rest;
    // The copies that are not meant come first.
    for (auto prefix = release.prefixes.rbegin(); prefix != release.prefixes.rend(); ++prefix)
      for (const auto& item : below(*prefix, release.network)) file.push_back(item);
    const Lines lines = auto_plan(file, below(place, release.network));
    for (const auto& item : release.network) {
      CAPTURE(item.name);
      CHECK(std::count(lines.begin(), lines.end(),
                       "load " + release.prefixes[0] + item.name + " -> " + place + item.name) ==
            1);
    }
    const std::string chosen = "say 1: weights: chosen '" + release.prefixes[0] + "…' as '" +
                               place + "…' (the same names): 100.0 % of the trunk in 4 tensors";
    CHECK(std::find(lines.begin(), lines.end(), chosen) != lines.end());
  }
}
