#include "conversion_systems.hpp"

namespace pretrained {

namespace {

constexpr const char* kTrunk = "classy_state_dict.base_model.model.trunk";
constexpr const char* kHeads = "classy_state_dict.base_model.model.heads";
constexpr const char* kFeatures = "_feature_blocks.";
constexpr const char* kClf = "0.clf.0.";
constexpr const char* kClassyHead = "block3-2.default_head.fc.";

bool fits(const std::vector<NamePattern>& patterns, const std::string& name) {
  for (const NamePattern& pattern : patterns) {
    NamePattern::Numbers numbers;
    std::string rest;
    if (pattern.match(name, numbers, rest)) return true;
  }
  return false;
}

std::vector<NamePattern> patterns(std::initializer_list<const char*> texts) {
  std::vector<NamePattern> list;
  for (const char* text : texts) list.emplace_back(text);
  return list;
}

Spelling vissl(Family family) {
  return {"vissl", family,   &same_names(), kTrunk, kFeatures,
          kClf,    "heads.", kHeads,        true,   kFeatures};
}
// torchvision's, timm's: one flat dict.
Spelling flat(const char* system, Family family, const KeyMap& map, const char* head) {
  return {system, family, &map, "", "", head, "", "", true};
}

std::vector<Spelling> made() {
  std::vector<Spelling> list;
  list.push_back(vissl(Family::resnet));
  list.push_back(flat("torchvision", Family::resnet, same_names(), "fc."));
  list.push_back(flat("timm", Family::resnet, same_names(), "fc."));
  Spelling detectron2 = flat("detectron2", Family::resnet, detectron2_names(), "linear.");
  detectron2.place = "model";
  detectron2.drops_counters = true;
  detectron2.has_matching_heuristics = true;
  list.push_back(detectron2);
  Spelling classy = {"classy",    Family::resnet, &classy_names(), kTrunk, "",
                     kClassyHead, "heads.",       kHeads,          true};
  classy.needs_bottlenecks = true;
  list.push_back(classy);
  Spelling caffe2 = flat("caffe2", Family::resnet, caffe2_names(), "pred_");
  caffe2.has_towers = true;
  caffe2.drops_counters = true;
  caffe2.needs_bottlenecks = true;
  list.push_back(caffe2);
  list.push_back(flat("lightly", Family::resnet, lightly_names(), ""));

  list.push_back(vissl(Family::regnet));
  Spelling parts = vissl(Family::regnet);
  parts.map = &vissl_regnet_parts_names();
  parts.is_target = false;
  list.push_back(parts);
  Spelling classy_regnet = vissl(Family::regnet);
  classy_regnet.system = "classy";
  classy_regnet.key_prefix = "";
  classy_regnet.head = kClassyHead;
  classy_regnet.marker = "trunk.";
  list.push_back(classy_regnet);
  list.push_back(flat("torchvision", Family::regnet, torchvision_regnet_names(), "fc."));
  list.push_back(flat("timm", Family::regnet, timm_regnet_names(), "head.fc."));

  Spelling vissl_vit = vissl(Family::vit);
  vissl_vit.key_prefix = "";
  vissl_vit.marker = "trunk.";
  list.push_back(vissl_vit);
  list.push_back(flat("timm", Family::vit, same_names(), "head."));
  list.push_back(flat("torchvision", Family::vit, torchvision_vit_names(), "heads.head."));

  list.push_back(vissl(Family::alexnet));
  Spelling alexnet = flat("caffe2", Family::alexnet, caffe2_alexnet_names(), "");
  alexnet.has_towers = true;
  alexnet.drops_counters = true;
  list.push_back(alexnet);
  list.push_back(flat("deepcluster", Family::alexnet, deepcluster_alexnet_names(), ""));
  return list;
}

}  // namespace

const char* name_of(Family family) {
  switch (family) {
    case Family::resnet:
      return "a ResNet";
    case Family::regnet:
      return "a RegNet";
    case Family::vit:
      return "a vision transformer";
    case Family::alexnet:
      break;
  }
  return "an AlexNet";
}

bool is_trunk_name(Family family, const std::string& ours) {
  static const std::vector<NamePattern> resnet =
      patterns({"conv1.weight", "conv1.bias", "conv1.{i}.*", "bn1.*", "layer{s}.{b}.conv{k}.*",
                "layer{s}.{b}.bn{k}.*", "layer{s}.{b}.downsample.{i}.*", "layer{s}.{b}.se.*",
                "layer{s}.{b}.aa.*"});
  static const std::vector<NamePattern> regnet =
      patterns({"conv1.stem.{i}.*", "res{s}.block{t}-{b}.*"});
  static const std::vector<NamePattern> vit =
      patterns({"cls_token", "pos_embed", "dist_token", "reg_token", "patch_embed.*",
                "blocks.{n}.norm{k}.*", "blocks.{n}.attn.*", "blocks.{n}.mlp.*",
                "blocks.{n}.ls{k}.*", "norm.*", "norm_pre.*", "fc_norm.*"});
  static const std::vector<NamePattern> alexnet =
      patterns({"0.{k}.*", "2.{k}.*", "4.{k}.*", "5.{k}.*", "6.{k}.*"});
  switch (family) {
    case Family::resnet:
      return fits(resnet, ours);
    case Family::regnet:
      return fits(regnet, ours);
    case Family::vit:
      return fits(vit, ours);
    case Family::alexnet:
      break;
  }
  return fits(alexnet, ours);
}

const std::vector<Spelling>& spellings() {
  static const std::vector<Spelling> list = made();
  return list;
}

}  // namespace pretrained
