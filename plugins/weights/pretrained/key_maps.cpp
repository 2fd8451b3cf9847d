#include "key_maps.hpp"

#include "regex.hpp"

namespace pretrained {

namespace {

// The first rule that matches the whole beginning decides; a name that none matches is foreign.
class Table {
 public:
  Table(std::initializer_list<std::pair<const char*, const char*>> rules) {
    for (const auto& [pattern, replacement] : rules)
      rules_.emplace_back(std::string("^") + pattern, replacement);
  }
  std::string rename(const std::string& name) const {
    for (const Rule& rule : rules_) {
      std::string renamed = rule.apply(name);
      if (renamed != name) return renamed;
    }
    return "";
  }

 private:
  std::vector<Rule> rules_;
};

std::string same(const std::string& name) {
  return name;
}

// torch.nn.Sequential over the children of torchvision's ResNet, as lightly's examples save it.
std::string lightly(const std::string& name) {
  static const Table table = {{R"(0\.)", "conv1."},  {R"(1\.)", "bn1."},    {R"(4\.)", "layer1."},
                              {R"(5\.)", "layer2."}, {R"(6\.)", "layer3."}, {R"(7\.)", "layer4."}};
  return table.rename(name);
}

std::string detectron2(const std::string& name) {
  static const Table stages = {{R"(stem\.conv1\.norm\.)", "bn1."}, {R"(stem\.conv1\.)", "conv1."},
                               {R"(res2\.)", "layer1."},           {R"(res3\.)", "layer2."},
                               {R"(res4\.)", "layer3."},           {R"(res5\.)", "layer4."}};
  static const Table parts = {
      {R"((layer\d\.\d+\.)conv(\d)\.norm\.)", R"(\1bn\2.)"},
      {R"((layer\d\.\d+\.)shortcut\.norm\.)", R"(\1downsample.1.)"},
      {R"((layer\d\.\d+\.)shortcut\.)", R"(\1downsample.0.)"},
  };
  const std::string staged = stages.rename(name);
  const std::string renamed = parts.rename(staged);
  return renamed.empty() ? staged : renamed;
}

std::string classy(const std::string& name) {
  static const Table table = {
      {R"(initial_block\._module\.0\.)", "conv1."},
      {R"(initial_block\._module\.1\.)", "bn1."},
      {R"(blocks\.(\d)\.block\d-(\d+)\.convolutional_block\.0\.)", R"(layer<\1>.\2.conv1.)"},
      {R"(blocks\.(\d)\.block\d-(\d+)\.convolutional_block\.1\.)", R"(layer<\1>.\2.bn1.)"},
      {R"(blocks\.(\d)\.block\d-(\d+)\.convolutional_block\.3\.)", R"(layer<\1>.\2.conv2.)"},
      {R"(blocks\.(\d)\.block\d-(\d+)\.convolutional_block\.4\.)", R"(layer<\1>.\2.bn2.)"},
      {R"(blocks\.(\d)\.block\d-(\d+)\.convolutional_block\.6\.)", R"(layer<\1>.\2.conv3.)"},
      {R"(blocks\.(\d)\.block\d-(\d+)\.bn\.)", R"(layer<\1>.\2.bn3.)"},
      {R"(blocks\.(\d)\.block\d-(\d+)\.downsample\.)", R"(layer<\1>.\2.downsample.)"},
  };
  std::string renamed = table.rename(name);
  // ClassyVision counts stages from 0.
  const std::size_t at = renamed.find('<');
  if (at != std::string::npos) renamed.replace(at, 3, 1, static_cast<char>(renamed[at + 1] + 1));
  return renamed;
}

std::string caffe2(const std::string& name) {
  static const Table suffixes = {
      {R"((.*)_bn_(?:gamma|s)$)", R"(\1_bn.weight)"},
      {R"((.*)_bn_(?:beta|b)$)", R"(\1_bn.bias)"},
      {R"((.*)_bn_(?:running_mean|rm)$)", R"(\1_bn.running_mean)"},
      {R"((.*)_bn_(?:running_var|riv)$)", R"(\1_bn.running_var)"},
      {R"((.*)_w$)", R"(\1.weight)"},
  };
  static const Table layers = {
      {R"(conv1\.weight$)", "conv1.weight"},
      {R"(res_conv1_bn\.)", "bn1."},
      {R"(res(\d)_(\d+)_branch2a_bn\.)", R"(layer<\1>.\2.bn1.)"},
      {R"(res(\d)_(\d+)_branch2b_bn\.)", R"(layer<\1>.\2.bn2.)"},
      {R"(res(\d)_(\d+)_branch2c_bn\.)", R"(layer<\1>.\2.bn3.)"},
      {R"(res(\d)_(\d+)_branch1_bn\.)", R"(layer<\1>.\2.downsample.1.)"},
      {R"(res(\d)_(\d+)_branch2a\.)", R"(layer<\1>.\2.conv1.)"},
      {R"(res(\d)_(\d+)_branch2b\.)", R"(layer<\1>.\2.conv2.)"},
      {R"(res(\d)_(\d+)_branch2c\.)", R"(layer<\1>.\2.conv3.)"},
      {R"(res(\d)_(\d+)_branch1\.)", R"(layer<\1>.\2.downsample.0.)"},
  };
  const std::string suffixed = suffixes.rename(name);
  if (suffixed == "conv1.weight") return suffixed;
  std::string renamed = layers.rename(suffixed);
  // Caffe2 counts stages from 2.
  const std::size_t at = renamed.find('<');
  if (at != std::string::npos) renamed.replace(at, 3, 1, static_cast<char>(renamed[at + 1] - 1));
  return renamed;
}

std::string regnet_torchvision(const std::string& name) {
  static const Table table = {
      {R"(stem\.)", "conv1.stem."},
      {R"(trunk_output\.block1\.(.*\.f\.)se\.fc1\.)", R"(res2.\1se.excitation.0.)"},
      {R"(trunk_output\.block2\.(.*\.f\.)se\.fc1\.)", R"(res3.\1se.excitation.0.)"},
      {R"(trunk_output\.block3\.(.*\.f\.)se\.fc1\.)", R"(res4.\1se.excitation.0.)"},
      {R"(trunk_output\.block4\.(.*\.f\.)se\.fc1\.)", R"(res5.\1se.excitation.0.)"},
      {R"(trunk_output\.block1\.)", "res2."},
      {R"(trunk_output\.block2\.)", "res3."},
      {R"(trunk_output\.block3\.)", "res4."},
      {R"(trunk_output\.block4\.)", "res5."},
  };
  static const Table parts = {
      {R"((res.*\.f\.)se\.fc2\.)", R"(\1se.excitation.2.)"},
      {R"((res.*\.f\.)c\.0\.)", R"(\1c.)"},
      {R"((res.*\.f\.)c\.1\.)", R"(\1final_bn.)"},
      {R"((res.*\.)proj\.0\.)", R"(\1proj.)"},
      {R"((res.*\.)proj\.1\.)", R"(\1bn.)"},
  };
  const std::string staged = table.rename(name);
  const std::string renamed = parts.rename(staged);
  return renamed.empty() ? staged : renamed;
}

std::string regnet_timm(const std::string& name) {
  static const Table stem = {{R"(stem\.conv\.)", "conv1.stem.0."},
                             {R"(stem\.bn\.)", "conv1.stem.1."}};
  static const Table parts = {
      {R"(conv1\.conv\.)", "f.a.0."},         {R"(conv1\.bn\.)", "f.a.1."},
      {R"(conv2\.conv\.)", "f.b.0."},         {R"(conv2\.bn\.)", "f.b.1."},
      {R"(conv3\.conv\.)", "f.c."},           {R"(conv3\.bn\.)", "f.final_bn."},
      {R"(se\.fc1\.)", "f.se.excitation.0."}, {R"(se\.fc2\.)", "f.se.excitation.2."},
      {R"(downsample\.conv\.)", "proj."},     {R"(downsample\.bn\.)", "bn."},
  };
  std::string renamed = stem.rename(name);
  if (!renamed.empty()) return renamed;
  // s1.b1. is res2.block1-0.
  int stage = 0, block = 0, length = 0;
  if (std::sscanf(name.c_str(), "s%1d.b%4d.%n", &stage, &block, &length) != 2 || length == 0)
    return "";
  const std::string rest = parts.rename(name.substr(static_cast<std::size_t>(length)));
  if (rest.empty()) return "";
  return "res" + std::to_string(stage + 1) + ".block" + std::to_string(stage) + "-" +
         std::to_string(block - 1) + "." + rest;
}

std::string vit_torchvision(const std::string& name) {
  static const Table table = {
      {R"(class_token$)", "cls_token"},
      {R"(encoder\.pos_embedding$)", "pos_embed"},
      {R"(conv_proj\.)", "patch_embed.proj."},
      {R"(encoder\.ln\.)", "norm."},
      {R"(encoder\.layers\.encoder_layer_(\d+)\.ln_1\.)", R"(blocks.\1.norm1.)"},
      {R"(encoder\.layers\.encoder_layer_(\d+)\.ln_2\.)", R"(blocks.\1.norm2.)"},
      {R"(encoder\.layers\.encoder_layer_(\d+)\.self_attention\.in_proj_)",
       R"(blocks.\1.attn.qkv.)"},
      {R"(encoder\.layers\.encoder_layer_(\d+)\.self_attention\.out_proj\.)",
       R"(blocks.\1.attn.proj.)"},
      {R"(encoder\.layers\.encoder_layer_(\d+)\.mlp\.(?:0|linear_1)\.)", R"(blocks.\1.mlp.fc1.)"},
      {R"(encoder\.layers\.encoder_layer_(\d+)\.mlp\.(?:3|linear_2)\.)", R"(blocks.\1.mlp.fc2.)"},
  };
  return table.rename(name);
}

constexpr KeyMap kSame = {"the same names", same};
constexpr KeyMap kLightly = {"lightly's Sequential", lightly};
constexpr KeyMap kDetectron2 = {"Detectron2's names", detectron2};
constexpr KeyMap kClassy = {"ClassyVision's names", classy};
constexpr KeyMap kCaffe2 = {"Caffe2's names", caffe2};
constexpr KeyMap kRegnetTorchvision = {"torchvision's RegNet", regnet_torchvision};
constexpr KeyMap kRegnetTimm = {"timm's RegNet", regnet_timm};
constexpr KeyMap kVitTorchvision = {"torchvision's vision transformer", vit_torchvision};

}  // namespace

const KeyMap& same_names() {
  return kSame;
}

const std::vector<const KeyMap*>& all_key_maps() {
  static const std::vector<const KeyMap*> maps = {
      &kSame,   &kLightly,           &kDetectron2, &kClassy,
      &kCaffe2, &kRegnetTorchvision, &kRegnetTimm, &kVitTorchvision};
  return maps;
}

}  // namespace pretrained
