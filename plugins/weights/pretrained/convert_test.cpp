// Names of other systems: complete lists of torchvision's and timm's own networks
// (scripts/oracle/conversion_names.py), there and back.
#include <vissl/test.hpp>
#include <vissl/weights.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <vector>

namespace {

using vissl::test::NamedShape;
using vissl::test::RenameOptions;
using Lines = std::vector<std::string>;
using Shapes = std::vector<NamedShape>;
using Json = nlohmann::ordered_json;
using Shape = std::vector<std::int64_t>;

Lines rename(const Shapes& source, const RenameOptions& options) {
  vissl::test::Host host;
  host.load(VISSL_PLUGIN_DIR "/pretrained.so");
  return vissl::test::rename_weights(
      host.component("weights", "pretrained").create("params_file = \"x\""), source, options);
}

std::string error(const Shapes& source, const RenameOptions& options) {
  try {
    rename(source, options);
  } catch (const vissl::Failure& failure) {
    return failure.what();
  }
  return "no error";
}

bool has(const Lines& lines, const std::string& line) {
  return std::find(lines.begin(), lines.end(), line) != lines.end();
}

// A system's names of a golden network.
Shapes golden(const std::string& network, const std::string& system) {
  static const Json all =
      Json::parse(std::ifstream(VISSL_SOURCE_DIR "/tests/golden/conversion_names.json"));
  Shapes out;
  for (const auto& [name, shape] : all.at(network).at(system).items())
    out.push_back({name, shape.get<std::vector<std::int64_t>>()});
  REQUIRE(out.size() > 60);
  return out;
}

struct Converted {
  Shapes names;  // full paths
  Lines dropped;
};
Converted converted(const Shapes& source, const RenameOptions& options) {
  std::map<std::string, std::vector<std::int64_t>> shapes;
  for (const NamedShape& item : source) shapes[item.name] = item.shape;
  Converted out;
  for (const std::string& line : rename(source, options)) {
    const std::size_t arrow = line.find(" -> ");
    if (line.rfind("keep ", 0) == 0) {
      std::string name = line.substr(arrow + 4);
      std::replace(name.begin(), name.end(), '/', '.');
      out.names.push_back({name, shapes.at(line.substr(5, arrow - 5))});
    } else if (line.rfind("drop ", 0) == 0) {
      out.dropped.push_back(line);
    }
  }
  return out;
}

using Table = std::map<std::string, std::vector<std::int64_t>>;
Table table_of(const Shapes& list, const std::string& prefix = "") {
  Table table;
  for (const NamedShape& item : list) {
    CAPTURE(item.name);
    REQUIRE(item.name.rfind(prefix, 0) == 0);
    table[item.name.substr(prefix.size())] = item.shape;
  }
  return table;
}
Table without(Table table, const std::string& part) {
  for (auto it = table.begin(); it != table.end();)
    it = it->first.find(part) == std::string::npos ? std::next(it) : table.erase(it);
  return table;
}

constexpr std::uint32_t kHeads = VISSL_WEIGHTS_WITH_HEADS;
const std::string kVissl = "classy_state_dict.base_model.model.";

RenameOptions with_heads(const std::string& to) {
  RenameOptions options;
  options.to = to;
  options.flags = kHeads;
  return options;
}

}  // namespace

TEST_CASE("convert: every name of every network comes back from every system's spelling") {
  struct Way {
    const char* network;
    const char* system;
    const char* other;
    bool counts;  // the other system counts batches
  };
  for (const Way& way : {Way{"resnet18", "torchvision", "vissl", true},
                         {"resnet18", "torchvision", "detectron2", false},
                         {"resnet50", "torchvision", "vissl", true},
                         {"resnet50", "torchvision", "timm", true},
                         {"resnet50", "torchvision", "detectron2", false},
                         {"resnet50", "torchvision", "classy", true},
                         {"resnet50", "torchvision", "caffe2", false},
                         {"resnet101", "torchvision", "vissl", true},
                         {"resnet101", "torchvision", "detectron2", false},
                         {"resnet101", "torchvision", "classy", true},
                         {"regnet_y_400mf", "torchvision", "vissl", true},
                         {"regnet_y_400mf", "torchvision", "classy", true},
                         {"regnet_y_400mf", "timm", "vissl", true},
                         {"regnet_y_400mf", "timm", "torchvision", true},
                         {"vit_b_16", "torchvision", "vissl", true},
                         {"vit_b_16", "timm", "torchvision", true},
                         {"vit_b_16", "timm", "vissl", true}}) {
    CAPTURE(way.network);
    CAPTURE(way.system);
    CAPTURE(way.other);
    const Shapes source = golden(way.network, way.system);
    const Converted there = converted(source, with_heads(way.other));
    const Table expected =
        way.counts ? table_of(source) : without(table_of(source), "num_batches_tracked");
    CHECK(there.names.size() == expected.size());
    const Converted back = converted(there.names, with_heads(way.system));
    CHECK(table_of(back.names) == expected);
    CHECK(back.dropped.empty());
  }
}

TEST_CASE("convert: what another library calls its own network is what its names become") {
  for (const char* network : {"resnet18", "resnet50", "resnet101"}) {
    CAPTURE(network);
    CHECK(table_of(converted(golden(network, "torchvision"), with_heads("detectron2")).names,
                   "model.") == table_of(golden(network, "detectron2")));
  }
  CHECK(table_of(converted(golden("resnet50", "torchvision"), with_heads("caffe2")).names) ==
        table_of(golden("resnet50", "caffe2")));
  const Converted classy = converted(golden("resnet50", "torchvision"), with_heads("classy"));
  Table parts;
  for (const NamedShape& item : classy.names)
    parts[item.name.substr(kVissl.size() + std::string("trunk.").size())] = item.shape;
  CHECK(parts == table_of(golden("resnet50", "classy")));
  for (const char* network : {"regnet_y_400mf", "vit_b_16"}) {
    CAPTURE(network);
    const Table timm = table_of(golden(network, "timm"));
    const Table torchvision = table_of(golden(network, "torchvision"));
    CHECK(table_of(converted(golden(network, "timm"), with_heads("torchvision")).names) ==
          torchvision);
    CHECK(table_of(converted(golden(network, "torchvision"), with_heads("timm")).names) == timm);
  }
}

TEST_CASE("convert: a RegNet whose stages VISSL put into parts becomes torchvision's") {
  const Shapes source = golden("regnet_y_400mf", "torchvision");
  Shapes parts = converted(source, with_heads("vissl")).names;
  for (NamedShape& item : parts)
    item.name = std::regex_replace(item.name, std::regex("block(\\d)-(\\d+)"), "block$1-part1.$&");
  const Converted back = converted(parts, with_heads("torchvision"));
  CHECK(table_of(back.names) == table_of(source));
  CHECK(back.dropped.empty());
}

TEST_CASE("convert: VISSL's checkpoint becomes torchvision's flat dict, and nothing is silent") {
  const Shapes source = {{kVissl + "trunk._feature_blocks.conv1.weight", {64, 3, 7, 7}},
                         {kVissl + "trunk._feature_blocks.bn1.weight", {64}},
                         {kVissl + "heads.0.clf.0.weight", {10, 64}},
                         {kVissl + "heads.0.clf.2.weight", {10, 64}},
                         {"classy_state_dict.optimizer.state.0.momentum_buffer", {64, 3, 7, 7}}};
  RenameOptions options;
  options.to = "torchvision";
  const Lines lines = rename(source, options);
  CHECK(lines ==
        Lines{"say 1: 2 tensors below 'classy_state_dict.base_model.model.trunk._feature_blocks.' "
              "have the same names (a ResNet)",
              "keep " + source[0].name + " -> conv1.weight",
              "keep " + source[1].name + " -> bn1.weight",
              "drop " + source[2].name + " (the classifier; --heads takes it along)",
              "drop " + source[3].name +
                  " (not below 'classy_state_dict.base_model.model.trunk._feature_blocks.')",
              "drop " + source[4].name +
                  " (not below 'classy_state_dict.base_model.model.trunk._feature_blocks.')"});
  CHECK(has(rename(source, with_heads("torchvision")), "keep " + source[2].name + " -> fc.weight"));
  CHECK(has(rename(source, with_heads("vissl")),
            "keep " + source[2].name + " -> " + kVissl + "heads/0.clf.0.weight"));
}

TEST_CASE("convert: a file that is mostly of no known network is told to be so") {
  RenameOptions options;
  options.to = "timm";
  const Lines lines =
      rename({{"norm.weight", {8}}, {"down.a.weight", {8}}, {"down.b.weight", {8}}}, options);
  CHECK(has(lines,
            "say 2: the other 2 tensors there have not; is it another kind of network? "
            "--from and --part choose what is taken"));
  CHECK(has(lines, "drop down.a.weight (not of the same names)"));
}

TEST_CASE("convert: a teacher of DINO is taken only when it is asked for") {
  const std::string teacher = "classy_state_dict.loss.momentum_teacher.module.trunk.";
  const Shapes source = {
      {teacher + "blocks.0.norm1.weight", {8}},
      {"classy_state_dict.loss.momentum_teacher.module.heads.0.last.weight", {8}},
      {kVissl + "trunk.blocks.0.norm1.weight", {8}}};
  RenameOptions options;
  options.to = "timm";
  CHECK(has(rename(source, options), "keep " + source[2].name + " -> blocks.0.norm1.weight"));
  options.part = "classy_state_dict.loss.momentum_teacher";
  const Lines lines = rename(source, options);
  CHECK(has(lines, "keep " + source[0].name + " -> blocks.0.norm1.weight"));
  CHECK(has(lines, "drop " + source[1].name + " (not below '" + teacher + "')"));
  CHECK(has(lines, "drop " + source[2].name + " (not below '" + teacher + "')"));
  options.part = "classy_state_dict.loss.momentum_teacher.module.heads";
  CHECK(error(source, options) == "no tensor of the part '" + options.part +
                                      "' has a name that a known system gives a trunk; vissl-host "
                                      "inspect shows the names");
}

TEST_CASE("convert: of DINO's released file the teacher is taken, as profile auto does") {
  const Shapes source = {{"student.module.backbone.conv1.weight", {64, 3, 7, 7}},
                         {"student.module.backbone.bn1.weight", {64}},
                         {"student.module.head.mlp.0.weight", {8, 64}},
                         {"teacher.backbone.conv1.weight", {64, 3, 7, 7}},
                         {"teacher.backbone.bn1.weight", {64}},
                         {"teacher.head.mlp.0.weight", {8, 64}},
                         {"dino_loss.center", {1, 8}}};
  RenameOptions options;
  options.to = "vissl";
  const std::string to = kVissl + "trunk/_feature_blocks.";
  Lines lines = rename(source, options);
  CHECK(has(lines, "keep teacher.backbone.conv1.weight -> " + to + "conv1.weight"));
  CHECK(has(lines, "keep teacher.backbone.bn1.weight -> " + to + "bn1.weight"));
  CHECK(has(lines, "drop student.module.backbone.conv1.weight (not below 'teacher.backbone.')"));
  options.part = "student";
  lines = rename(source, options);
  CHECK(has(lines, "keep student.module.backbone.conv1.weight -> " + to + "conv1.weight"));
  CHECK(has(lines, "drop teacher.backbone.conv1.weight (not below 'student.module.backbone.')"));
}

TEST_CASE("convert: a teacher of DINO becomes a checkpoint with its trunk and all of its heads") {
  for (const std::string place :
       {"classy_state_dict.loss.momentum_teacher.module.", "loss.teacher."}) {
    CAPTURE(place);
    const Shapes source = {{place + "trunk.cls_token", {1, 1, 8}},
                           {place + "trunk.blocks.0.norm1.weight", {8}},
                           {place + "heads.0.mlp.0.weight", {16, 8}},
                           {place + "heads.0.prototypes0.weight_g", {32, 1}},
                           {place + "heads.0.prototypes0.weight_v", {32, 16}},
                           {kVissl + "trunk.blocks.0.norm1.weight", {8}}};
    RenameOptions options = with_heads("vissl");
    options.part = place.substr(0, place.size() - 1);
    const Converted made = converted(source, options);
    CHECK(table_of(made.names) == Table{{kVissl + "trunk.cls_token", {1, 1, 8}},
                                        {kVissl + "trunk.blocks.0.norm1.weight", {8}},
                                        {kVissl + "heads.0.mlp.0.weight", {16, 8}},
                                        {kVissl + "heads.0.prototypes0.weight_g", {32, 1}},
                                        {kVissl + "heads.0.prototypes0.weight_v", {32, 16}}});
    CHECK(made.dropped.size() == 1);
    options.flags = 0;
    CHECK(has(rename(source, options),
              "drop " + source[3].name + " (a head; --heads takes it along)"));
  }
}

TEST_CASE("convert: heads of several layers go to ClassyVision and come back") {
  Shapes trunk;
  for (const char* layer : {"conv1", "conv2", "conv3", "downsample.0"})
    for (const char* stage : {"1", "2", "3", "4"})
      trunk.push_back({kVissl + "trunk._feature_blocks.layer" + stage + ".0." + layer + ".weight",
                       {8, 8, 1, 1}});
  const std::string heads = kVissl + "heads.";
  Shapes source = trunk;
  for (const std::string leaf : {"weight", "bias"}) {
    source.push_back({heads + "0.clf.0." + leaf, leaf == "weight" ? Shape{16, 8} : Shape{16}});
    source.push_back({heads + "1.clf.0." + leaf, leaf == "weight" ? Shape{16, 16} : Shape{16}});
    source.push_back({heads + "2.clf.0." + leaf, leaf == "weight" ? Shape{4, 16} : Shape{4}});
    source.push_back({heads + "0.clf.1." + leaf, {16}});
  }
  for (const std::string leaf : {"running_mean", "running_var", "num_batches_tracked"})
    source.push_back({heads + "0.clf.1." + leaf, leaf[0] == 'n' ? Shape{} : Shape{16}});
  const Converted there = converted(source, with_heads("classy"));
  CHECK(there.dropped.empty());
  const Table classy = table_of(there.names);
  const std::string place = heads + "block3-2.default_head.";
  CHECK(classy.size() == source.size());
  CHECK(classy.at(place + "mlp.layers.0.fc.weight") == Shape{16, 8});
  CHECK(classy.at(place + "mlp.layers.0.batch_norm.running_var") == Shape{16});
  CHECK(classy.at(place + "mlp.layers.1.fc.bias") == Shape{16});
  CHECK(classy.at(place + "embedding_fc.weight") == Shape{4, 16});
  CHECK(table_of(converted(there.names, with_heads("vissl")).names) == table_of(source));
  // One head of several layers is the same chain; a norm after the last layer has no name there.
  Shapes one = trunk;
  one.push_back({heads + "0.clf.0.weight", {16, 8}});
  one.push_back({heads + "0.clf.2.weight", {4, 16}});
  one.push_back({heads + "0.clf.3.weight", {4}});
  const Lines lines = rename(one, with_heads("classy"));
  CHECK(has(lines, "keep " + heads + "0.clf.2.weight -> " + kVissl +
                       "heads/block3-2.default_head.embedding_fc.weight"));
  CHECK(has(lines, "drop " + heads + "0.clf.3.weight (ClassyVision's heads have no norm there)"));
}

TEST_CASE("convert: Detectron2's file says how its names are to be read, and what goes with it") {
  const Shapes source = {{"conv1.weight", {64, 3, 7, 7}}};
  RenameOptions options;
  options.to = "detectron2";
  Lines lines = rename(source, options);
  CHECK(has(lines, "keep conv1.weight -> model/stem.conv1.weight"));
  CHECK(has(lines, "flag matching_heuristics = 1"));
  CHECK_FALSE(has(lines, "text __author__ = vissl-host"));
  CHECK(lines.back().find("FORMAT: RGB") != std::string::npos);
  options.container = "numpy pickle";
  CHECK(has(rename(source, options), "text __author__ = vissl-host"));
  const Shapes caffe2 = {{"conv1_w", {64, 3, 7, 7}}};
  CHECK(rename(caffe2, options).back().find("FORMAT: BGR") != std::string::npos);
  options.flags = VISSL_WEIGHTS_REVERSE_CHANNELS;
  lines = rename(caffe2, options);
  CHECK(has(lines, "keep conv1_w -> model/stem.conv1.weight reversed"));
  CHECK(lines.back().find("FORMAT: RGB") != std::string::npos);
}

TEST_CASE("convert: Caffe2's towers, momenta, long suffixes and frozen norms") {
  const Shapes source = {{"conv1_s0_w", {64, 3, 7, 7}},
                         {"conv1_s1_w", {64, 3, 7, 7}},
                         {"conv1_s0_w_momentum", {64, 3, 7, 7}},
                         {"res_conv1_bn_gamma", {64}},
                         {"res_conv1_bn_beta", {64}},
                         {"res2_0_branch2c_w", {256, 64, 1, 1}},
                         {"conv1_b", {64}},
                         {"lr", {1}}};
  RenameOptions options;
  options.to = "vissl";
  const std::string to = kVissl + "trunk/_feature_blocks.";
  const Lines lines = rename(source, options);
  CHECK(has(lines, "keep conv1_s0_w -> " + to + "conv1.weight"));
  CHECK(has(lines, "drop conv1_s1_w (another tower of the jigsaw network)"));
  CHECK(has(lines, "drop conv1_s0_w_momentum (the optimizer's momentum)"));
  CHECK(has(lines, "keep res_conv1_bn_gamma -> " + to + "bn1.weight"));
  CHECK(has(lines, "keep res_conv1_bn_beta -> " + to + "bn1.bias"));
  CHECK(has(lines, "drop conv1_b (not of Caffe2's names)"));
  CHECK(has(lines, "drop lr (not of Caffe2's names)"));
  CHECK(has(lines, "fill " + to + "bn1.running_mean like res_conv1_bn_gamma = 0"));
  CHECK(has(lines, "fill " + to + "bn1.running_var like res_conv1_bn_gamma = 1"));
  CHECK(has(lines, "say 1: frozen norms got mean 0 and variance 1: 1"));
}

TEST_CASE("convert: the AlexNets of Caffe2, DeepCluster and RotNet become VISSL's") {
  RenameOptions options;
  options.to = "vissl";
  const std::string to = kVissl + "trunk/_feature_blocks.";
  const Lines caffe2 = rename({{"conv1_w", {96, 3, 11, 11}},
                               {"conv1norm_s", {96}},
                               {"conv1norm_riv", {96}},
                               {"conv3_w", {384, 256, 3, 3}},
                               {"conv5_w", {256, 384, 3, 3}},
                               {"fc6_w", {10, 10}}},
                              options);
  CHECK(has(caffe2, "keep conv1_w -> " + to + "0.0.weight"));
  CHECK(has(caffe2, "keep conv1norm_s -> " + to + "0.1.weight"));
  CHECK(has(caffe2, "keep conv1norm_riv -> " + to + "0.1.running_var"));
  CHECK(has(caffe2, "keep conv3_w -> " + to + "4.0.weight"));
  CHECK(has(caffe2, "keep conv5_w -> " + to + "6.0.weight"));
  CHECK(has(caffe2, "drop fc6_w (not of Caffe2's AlexNet)"));
  const Lines cluster = rename({{"state_dict.features.module.0.weight", {96, 2, 11, 11}},
                                {"state_dict.features.module.15.running_mean", {256}},
                                {"state_dict.sobel.0.weight", {1, 3, 1, 1}}},
                               options);
  CHECK(has(cluster, "keep state_dict.features.module.0.weight -> " + to + "0.0.weight"));
  CHECK(has(cluster,
            "keep state_dict.features.module.15.running_mean -> " + to + "6.1.running_mean"));
  const Lines rotnet = rename({{"network._feature_blocks.0.0.weight", {96, 3, 11, 11}},
                               {"network._feature_blocks.2.1.bias", {256}},
                               {"network._feature_blocks.9.weight", {4, 10}}},
                              options);
  CHECK(has(rotnet, "keep network._feature_blocks.2.1.bias -> " + to + "2.1.bias"));
  CHECK(has(rotnet, "drop network._feature_blocks.9.weight (not of the same names)"));
}

TEST_CASE("convert: a wrong system, depth or family is refused with what there is") {
  const Shapes resnet = golden("resnet18", "torchvision");
  RenameOptions options;
  options.to = "tensorflow";
  CHECK(error(resnet, options) ==
        "'tensorflow' is no system whose names can be written; there are vissl, torchvision, timm, "
        "detectron2, classy, caffe2, lightly, deepcluster, and torch and safetensors for the "
        "container alone");
  options.to = "classy";
  CHECK(error(resnet, options) ==
        "ClassyVision's names are known for bottlenecks only, depths 50, 101 and 152; the file has "
        "basic blocks");
  options.to = "torchvision";
  options.depth = 50;
  CHECK(
      error(resnet, options) ==
      "depth 50 is wanted, but the file's stages have 2, 2, 2, 2 basic blocks, which is depth 18");
  options.depth = 18;
  CHECK(error(resnet, options) == "no error");
  options.depth = 0;
  RenameOptions deep = options;
  deep.depth = 50;
  CHECK(error(golden("vit_b_16", "torchvision"), deep) ==
        "a depth is wanted, but the file has a vision transformer; leave out --depth");
  options.from = "caffe2";
  CHECK(error(resnet, options) ==
        "no tensor has a name that 'caffe2' gives a trunk; vissl-host inspect shows the names");
  options.from = "";
  options.to = "detectron2";
  CHECK(error(golden("vit_b_16", "timm"), options) ==
        "the same names are those of a vision transformer, for which 'detectron2' has no names");
  options.to = "torchvision";
  options.flags = VISSL_WEIGHTS_REVERSE_CHANNELS;
  CHECK(error({{"conv1.weight", {64, 4, 7, 7}}}, options) ==
        "the channels are to be reversed, but the file has no first convolution of three input "
        "channels");
}
