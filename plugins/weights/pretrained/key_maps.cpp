#include "key_maps.hpp"

#include <charconv>

namespace pretrained {

NamePattern::NamePattern(const char* text) {
  std::string_view rest = text;
  has_rest_ = !rest.empty() && rest.back() == '*';
  if (has_rest_) rest.remove_suffix(1);
  while (!rest.empty()) {
    Piece piece;
    if (rest.front() == '{') {
      const std::size_t end = rest.find('}');
      piece.letter = rest[1];
      if (end > 2) piece.more = rest[3] - '0';
      rest.remove_prefix(end + 1);
    } else {
      piece.text = rest.substr(0, rest.find('{'));
      rest.remove_prefix(piece.text.size());
    }
    pieces_.push_back(std::move(piece));
  }
}

bool NamePattern::match(std::string_view name, Numbers& numbers, std::string& rest) const {
  for (const Piece& piece : pieces_) {
    if (piece.letter == '\0') {
      if (name.substr(0, piece.text.size()) != piece.text) return false;
      name.remove_prefix(piece.text.size());
      continue;
    }
    int number = 0;
    const auto end = std::from_chars(name.data(), name.data() + name.size(), number);
    if (end.ec != std::errc() || name.front() == '-' || number < piece.more) return false;
    name.remove_prefix(static_cast<std::size_t>(end.ptr - name.data()));
    const auto [it, is_new] = numbers.emplace(piece.letter, number - piece.more);
    if (!is_new && it->second != number - piece.more) return false;
  }
  if (!has_rest_ && !name.empty()) return false;
  rest = name;
  return true;
}

std::string NamePattern::fill(const Numbers& numbers, const std::string& rest) const {
  std::string out;
  for (const Piece& piece : pieces_)
    out +=
        piece.letter == '\0' ? piece.text : std::to_string(numbers.at(piece.letter) + piece.more);
  return out + rest;
}

KeyMap::KeyMap(const char* name, std::initializer_list<NamePair> pairs) : name_(name) {
  for (const NamePair& pair : pairs)
    pairs_.emplace_back(NamePattern(pair.theirs), NamePattern(pair.ours));
}

std::string KeyMap::rename(const std::string& theirs) const {
  if (is_same()) return theirs;
  for (const auto& [from, to] : pairs_) {
    NamePattern::Numbers numbers;
    std::string rest;
    if (from.match(theirs, numbers, rest)) return to.fill(numbers, rest);
  }
  return "";
}

std::string KeyMap::back(const std::string& ours) const {
  if (is_same()) return ours;
  for (const auto& [to, from] : pairs_) {
    NamePattern::Numbers numbers;
    std::string rest;
    if (from.match(ours, numbers, rest)) return to.fill(numbers, rest);
  }
  return "";
}

const KeyMap& same_names() {
  static const KeyMap map("the same names", {});
  return map;
}

// torch.nn.Sequential over the children of torchvision's ResNet, as lightly's examples save it.
const KeyMap& lightly_names() {
  static const KeyMap map("lightly's Sequential", {{"0.*", "conv1.*"},
                                                   {"1.*", "bn1.*"},
                                                   {"4.*", "layer1.*"},
                                                   {"5.*", "layer2.*"},
                                                   {"6.*", "layer3.*"},
                                                   {"7.*", "layer4.*"}});
  return map;
}

const KeyMap& detectron2_names() {
  static const KeyMap map("Detectron2's names",
                          {{"stem.conv1.norm.*", "bn1.*"},
                           {"stem.conv1.*", "conv1.*"},
                           {"res{s+1}.{b}.conv{k}.norm.*", "layer{s}.{b}.bn{k}.*"},
                           {"res{s+1}.{b}.conv{k}.*", "layer{s}.{b}.conv{k}.*"},
                           {"res{s+1}.{b}.shortcut.norm.*", "layer{s}.{b}.downsample.1.*"},
                           {"res{s+1}.{b}.shortcut.*", "layer{s}.{b}.downsample.0.*"}});
  return map;
}

// ClassyVision counts stages from 0 and names a block by its stage as well.
const KeyMap& classy_names() {
  static const KeyMap map(
      "ClassyVision's names",
      {{"initial_block._module.0.*", "conv1.*"},
       {"initial_block._module.1.*", "bn1.*"},
       {"blocks.{z}.block{z}-{b}.convolutional_block.0.*", "layer{z+1}.{b}.conv1.*"},
       {"blocks.{z}.block{z}-{b}.convolutional_block.1.*", "layer{z+1}.{b}.bn1.*"},
       {"blocks.{z}.block{z}-{b}.convolutional_block.3.*", "layer{z+1}.{b}.conv2.*"},
       {"blocks.{z}.block{z}-{b}.convolutional_block.4.*", "layer{z+1}.{b}.bn2.*"},
       {"blocks.{z}.block{z}-{b}.convolutional_block.6.*", "layer{z+1}.{b}.conv3.*"},
       {"blocks.{z}.block{z}-{b}.bn.*", "layer{z+1}.{b}.bn3.*"},
       {"blocks.{z}.block{z}-{b}.downsample.*", "layer{z+1}.{b}.downsample.*"}});
  return map;
}

// The long suffixes of later Caffe2 files are read; the short ones are written.
#define CAFFE2_NORM(theirs, ours)                                                       \
  {theirs "_bn_s", ours ".weight"}, {theirs "_bn_b", ours ".bias"},                     \
      {theirs "_bn_rm", ours ".running_mean"}, {theirs "_bn_riv", ours ".running_var"}, \
      {theirs "_bn_gamma", ours ".weight"}, {theirs "_bn_beta", ours ".bias"},          \
      {theirs "_bn_running_mean", ours ".running_mean"}, {                              \
    theirs "_bn_running_var", ours ".running_var"                                       \
  }

const KeyMap& caffe2_names() {
  static const KeyMap map("Caffe2's names",
                          {{"conv1_w", "conv1.weight"},
                           CAFFE2_NORM("res_conv1", "bn1"),
                           {"res{s+1}_{b}_branch2a_w", "layer{s}.{b}.conv1.weight"},
                           {"res{s+1}_{b}_branch2b_w", "layer{s}.{b}.conv2.weight"},
                           {"res{s+1}_{b}_branch2c_w", "layer{s}.{b}.conv3.weight"},
                           {"res{s+1}_{b}_branch1_w", "layer{s}.{b}.downsample.0.weight"},
                           CAFFE2_NORM("res{s+1}_{b}_branch2a", "layer{s}.{b}.bn1"),
                           CAFFE2_NORM("res{s+1}_{b}_branch2b", "layer{s}.{b}.bn2"),
                           CAFFE2_NORM("res{s+1}_{b}_branch2c", "layer{s}.{b}.bn3"),
                           CAFFE2_NORM("res{s+1}_{b}_branch1", "layer{s}.{b}.downsample.1")});
  return map;
}
#undef CAFFE2_NORM

const KeyMap& torchvision_regnet_names() {
  static const KeyMap map(
      "torchvision's RegNet",
      {{"stem.*", "conv1.stem.*"},
       {"trunk_output.block{s}.block{s}-{b}.f.se.fc1.*",
        "res{s+1}.block{s}-{b}.f.se.excitation.0.*"},
       {"trunk_output.block{s}.block{s}-{b}.f.se.fc2.*",
        "res{s+1}.block{s}-{b}.f.se.excitation.2.*"},
       {"trunk_output.block{s}.block{s}-{b}.f.c.0.*", "res{s+1}.block{s}-{b}.f.c.*"},
       {"trunk_output.block{s}.block{s}-{b}.f.c.1.*", "res{s+1}.block{s}-{b}.f.final_bn.*"},
       {"trunk_output.block{s}.block{s}-{b}.f.*", "res{s+1}.block{s}-{b}.f.*"},
       {"trunk_output.block{s}.block{s}-{b}.proj.0.*", "res{s+1}.block{s}-{b}.proj.*"},
       {"trunk_output.block{s}.block{s}-{b}.proj.1.*", "res{s+1}.block{s}-{b}.bn.*"}});
  return map;
}

// timm counts blocks from 1: s1.b1 is res2.block1-0.
const KeyMap& timm_regnet_names() {
  static const KeyMap map("timm's RegNet",
                          {{"stem.conv.*", "conv1.stem.0.*"},
                           {"stem.bn.*", "conv1.stem.1.*"},
                           {"s{s}.b{b+1}.conv1.conv.*", "res{s+1}.block{s}-{b}.f.a.0.*"},
                           {"s{s}.b{b+1}.conv1.bn.*", "res{s+1}.block{s}-{b}.f.a.1.*"},
                           {"s{s}.b{b+1}.conv2.conv.*", "res{s+1}.block{s}-{b}.f.b.0.*"},
                           {"s{s}.b{b+1}.conv2.bn.*", "res{s+1}.block{s}-{b}.f.b.1.*"},
                           {"s{s}.b{b+1}.conv3.conv.*", "res{s+1}.block{s}-{b}.f.c.*"},
                           {"s{s}.b{b+1}.conv3.bn.*", "res{s+1}.block{s}-{b}.f.final_bn.*"},
                           {"s{s}.b{b+1}.se.fc1.*", "res{s+1}.block{s}-{b}.f.se.excitation.0.*"},
                           {"s{s}.b{b+1}.se.fc2.*", "res{s+1}.block{s}-{b}.f.se.excitation.2.*"},
                           {"s{s}.b{b+1}.downsample.conv.*", "res{s+1}.block{s}-{b}.proj.*"},
                           {"s{s}.b{b+1}.downsample.bn.*", "res{s+1}.block{s}-{b}.bn.*"}});
  return map;
}

// VISSL's regnet_v2 and regnet_fsdp put a stage's blocks into parts; a part has no say in the names
// here, so that they are not written.
const KeyMap& vissl_regnet_parts_names() {
  static const KeyMap map("VISSL's RegNet in parts",
                          {{"conv1.stem.*", "conv1.stem.*"},
                           {"res{r}.block{s}-part{p}.block{s}-{b}.*", "res{r}.block{s}-{b}.*"}});
  return map;
}

#define ALEXNET_LAYER(theirs, ours)                                           \
  {theirs "_w", ours ".0.weight"}, {theirs "_b", ours ".0.bias"},             \
      {theirs "norm_s", ours ".1.weight"}, {theirs "norm_b", ours ".1.bias"}, \
      {theirs "norm_rm", ours ".1.running_mean"}, {                           \
    theirs "norm_riv", ours ".1.running_var"                                  \
  }

const KeyMap& caffe2_alexnet_names() {
  static const KeyMap map(
      "Caffe2's AlexNet",
      {ALEXNET_LAYER("conv1", "0"), ALEXNET_LAYER("conv2", "2"), ALEXNET_LAYER("conv3", "4"),
       ALEXNET_LAYER("conv4", "5"), ALEXNET_LAYER("conv5", "6")});
  return map;
}
#undef ALEXNET_LAYER

const KeyMap& deepcluster_alexnet_names() {
  static const KeyMap map("DeepCluster's AlexNet", {{"features.module.0.*", "0.0.*"},
                                                    {"features.module.1.*", "0.1.*"},
                                                    {"features.module.4.*", "2.0.*"},
                                                    {"features.module.5.*", "2.1.*"},
                                                    {"features.module.8.*", "4.0.*"},
                                                    {"features.module.9.*", "4.1.*"},
                                                    {"features.module.11.*", "5.0.*"},
                                                    {"features.module.12.*", "5.1.*"},
                                                    {"features.module.14.*", "6.0.*"},
                                                    {"features.module.15.*", "6.1.*"}});
  return map;
}

const std::vector<const KeyMap*>& all_key_maps() {
  static const std::vector<const KeyMap*> maps = {&same_names(),
                                                  &lightly_names(),
                                                  &detectron2_names(),
                                                  &classy_names(),
                                                  &caffe2_names(),
                                                  &torchvision_regnet_names(),
                                                  &timm_regnet_names(),
                                                  &vissl_regnet_parts_names(),
                                                  &torchvision_vit_names(),
                                                  &huggingface_vit_names(),
                                                  &jax_vit_names(),
                                                  &clip_vit_names(),
                                                  &huggingface_clip_names()};
  return maps;
}

}  // namespace pretrained
