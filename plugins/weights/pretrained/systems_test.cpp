// The examples of EssentialMC2's, timm's and vis4d's documents, and names of other systems.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "pretrained_test.hpp"

namespace {

using vissl::test::NamedShape;

Lines said(const Lines& lines) {
  Lines out;
  for (const std::string& line : lines)
    if (line.rfind("say ", 0) == 0) out.push_back(line);
  return out;
}

const std::string kTrunk = "trunk._feature_blocks.";

// A small classifier: one convolution with its batch norm, one deeper layer, one linear head.
Shapes model(std::int64_t classes, std::int64_t channels = 3) {
  return {{kTrunk + "conv1.weight", {4, channels, 3, 3}},
          {kTrunk + "bn1.weight", {4}},
          {kTrunk + "bn1.num_batches_tracked", {}},
          {kTrunk + "layer1.0.conv1.weight", {8, 4, 3, 3}},
          {"heads.0.clf.0.weight", {classes, 8}},
          {"heads.0.clf.0.bias", {classes}}};
}

Shapes network(const std::string& trunk, const std::string& head, std::int64_t classes,
               std::int64_t channels = 3) {
  return {{trunk + "conv1.weight", {4, channels, 3, 3}},
          {trunk + "bn1.weight", {4}},
          {trunk + "bn1.num_batches_tracked", {}},
          {trunk + "layer1.0.conv1.weight", {8, 4, 3, 3}},
          {head + "weight", {classes, 8}},
          {head + "bias", {classes}}};
}

}  // namespace

TEST_CASE("essmc2: a classifier of 100 classes into one of 200 gives the documented lines") {
  const Lines lines =
      plan("profile = \"essmc2\"\npath = \"pretrain.pth\"",
           network("state_dict.module.backbone.", "state_dict.module.head.fc.", 100), model(200));
  CHECK(
      said(lines) ==
      Lines{"say 1: Load pretrained model [Classifier] from pretrain.pth",
            "say 2: ignore keys from source: \n"
            "head.fc.weight: invalid shape, dst torch.Size([200, 8]) vs. src torch.Size([100, 8])\n"
            "head.fc.bias: invalid shape, dst torch.Size([200]) vs. src torch.Size([100])",
            "say 2: missing key in source state_dict: head.fc.weight, head.fc.bias"});
  CHECK(has(lines, "load state_dict.module.backbone.conv1.weight -> " + kTrunk + "conv1.weight"));
  CHECK(has(lines, "load state_dict.module.backbone.bn1.num_batches_tracked -> " + kTrunk +
                       "bn1.num_batches_tracked"));
}

TEST_CASE("essmc2: the backbone alone, by sub_level, gives no warning") {
  Shapes backbone = model(1);
  backbone.resize(4);
  const std::string toml =
      "profile = \"essmc2\"\npath = \"pretrain.pth\"\nsub_level = \"backbone\"\nmap_location = "
      "\"cpu\"";
  const Shapes file = network("state_dict.module.backbone.", "state_dict.module.head.fc.", 100);
  CHECK(said(plan(toml, file, backbone)) ==
        Lines{"say 1: Load pretrained model [ResNet] from pretrain.pth"});
  CHECK(error("profile = \"essmc2\"\npath = \"a\"\nsub_level = \"neck\"", file, backbone) ==
        "neck is not in the pretrained model: no name begins with 'neck.'; the first is "
        "'backbone.conv1.weight'; 4 tensors below 'backbone.' fit the model");
  CHECK(
      error("profile = \"mmcv\"\npath = \"a\"\nprefix = \"neck\"", network("", "fc.", 7), backbone)
          .find("; 4 tensors at the top of the file fit the model") != std::string::npos);
}

TEST_CASE("essmc2: model_state inside state_dict, and torchvision's fc is unexpected") {
  Shapes backbone = model(1);
  backbone.resize(4);
  const std::string toml = "profile = \"essmc2\"\npath = \"https://example.org/resnet50.pth\"";
  CHECK(said(plan(toml, network("", "fc.", 1000), backbone)) ==
        Lines{"say 1: Load pretrained model [ResNet] from https://example.org/resnet50.pth",
              "say 2: unexpected key in source state_dict: fc.weight, fc.bias"});
  const Lines nested =
      plan(toml, network("state_dict.model_state.", "state_dict.model_state.fc.", 9), backbone);
  CHECK(has(nested, "load state_dict.model_state.conv1.weight -> " + kTrunk + "conv1.weight"));
}

TEST_CASE("timm: seven classes from a thousand leave the classifier, and nothing else, random") {
  const Lines lines =
      plan("profile = \"timm\"\nurl = \"a.pth\"", network("", "fc.", 1000), model(7));
  CHECK(has(lines,
            "ignore fc.weight (it is torch.Size([1000, 8]), 'heads.0.clf.0.weight' of the model is "
            "torch.Size([7, 8]))"));
  CHECK(has(lines,
            "ignore fc.bias (it is torch.Size([1000]), 'heads.0.clf.0.bias' of the model is "
            "torch.Size([7]))"));
  // Nobody chose it: what only evaluates must refuse it as missing.
  CHECK(std::none_of(lines.begin(), lines.end(),
                     [](const std::string& l) { return l.rfind("skip ", 0) == 0; }));
  CHECK(said(lines) == Lines{"say 1: Missing keys (fc.weight, fc.bias) discovered while loading "
                             "pretrained weights. This is expected if model is being adapted."});
  CHECK(std::count_if(lines.begin(), lines.end(),
                      [](const std::string& l) { return l.rfind("load ", 0) == 0; }) == 4);
}

TEST_CASE("timm: a classifier without bias is left out like any other") {
  Shapes file = network("", "fc.", 1000);
  file.pop_back();
  const Lines lines = plan("profile = \"timm\"\nurl = \"a.pth\"", file, model(7));
  CHECK(has(lines,
            "ignore fc.weight (it is torch.Size([1000, 8]), 'heads.0.clf.0.weight' of the model is "
            "torch.Size([7, 8]))"));
  CHECK(has(lines, "load conv1.weight -> " + kTrunk + "conv1.weight"));
}

TEST_CASE("timm: a model without a head takes no classifier, and does not ask about it") {
  Shapes trunk = model(1);
  trunk.resize(4);
  const std::string toml = "profile = \"timm\"\nurl = \"a.pth\"";
  CHECK(said(plan(toml, network("", "fc.", 1000), trunk)).empty());
  Shapes file = network("", "fc.", 1000);
  file.push_back({"aux.weight", {1}});
  CHECK(
      said(plan(toml + "\nstrict = false", file, trunk)) ==
      Lines{"say 2: Unexpected keys (aux.weight) found while loading pretrained weights. This may "
            "be expected if model is being adapted."});
  CHECK(error(toml, file, trunk).find("Unexpected key(s) in state_dict: \"aux.weight\". ") !=
        std::string::npos);
}

TEST_CASE("timm: prefixes of data parallel and compiled models are cut off, in timm's order") {
  const std::string toml = "profile = \"timm\"\nurl = \"a.pth\"";
  for (const std::string prefix : {"module.", "_orig_mod.", "module._orig_mod."}) {
    CAPTURE(prefix);
    const Lines lines =
        plan(toml + "\nappend_prefix = \"" + kTrunk + "\"",
             network("state_dict." + prefix, "state_dict." + prefix + "fc.", 7), model(7));
    CHECK(has(lines, "load state_dict." + prefix + "conv1.weight -> " + kTrunk + "conv1.weight"));
  }
}

TEST_CASE("timm: everything but the classifier stays strict") {
  const std::string toml = "profile = \"timm\"\nurl = \"a.pth\"";
  Shapes file = network("", "fc.", 7);
  file.erase(file.begin() + 1);
  const std::string text =
      "Error(s) in loading state_dict:\n\tMissing key(s) in state_dict: \"bn1.weight\". \nset "
      "strict = false of [model.weights_init] to load what fits";
  CHECK(error(toml, file, model(7)) == text);
  CHECK(error(toml + "\nstrict = false", file, model(7)) == "no error");
  // Another number of classes leaves out the classifier, and excuses nothing else.
  Shapes other = network("", "fc.", 1000);
  other.erase(other.begin() + 1);
  CHECK(error(toml, other, model(200)) == text);
  CHECK(error("profile = \"timm-classic\"\nurl = \"a.pth\"", other, model(200)) == text);
  other.erase(other.begin());  // conv1.weight
  other.push_back({"extra.weight", {4}});
  other.push_back({"extra.bias", {4}});
  CHECK(error(toml, other, model(200)) ==
        "Error(s) in loading state_dict:\n\tMissing key(s) in state_dict: \"conv1.weight\", "
        "\"bn1.weight\". \n\tUnexpected key(s) in state_dict: \"extra.weight\", \"extra.bias\". "
        "\nset strict = false of [model.weights_init] to load what fits");
}

TEST_CASE("pretrained: one setting by two names, and a tensor of another size, are refused") {
  const auto told = [](const std::string& toml) { return error(toml, {}, model(7)); };
  CHECK(told("profile = \"essmc2\"\npath = \"a\"\nsub_level = \"b\"\nprefix = \"c\"") ==
        "sub_level and prefix are the same setting; keep one");
  Shapes file = network("", "fc.", 7);
  file[3].shape = {8, 4, 1, 1};
  CHECK(error("profile = \"timm\"\nurl = \"a.pth\"", file, model(7)) ==
        "size mismatch for layer1.0.conv1.weight: copying a param with shape torch.Size([8, 4, 1, "
        "1]) from checkpoint, the shape in current model is torch.Size([8, 4, 3, 3]) "
        "('trunk._feature_blocks.layer1.0.conv1.weight'); change the model, list the layer in "
        "skip_layers, or set shape_mismatch = \"drop\"");
}

TEST_CASE("timm: strict passes over what a dropped classifier lacks, and counters") {
  const std::string toml = "profile = \"timm\"\nurl = \"a.pth\"";
  Shapes file = network("", "fc.", 1000);
  file.pop_back();
  file.erase(file.begin() + 2);  // bn1.num_batches_tracked
  CHECK(error(toml, file, model(200)) == "no error");
  // A dropped stem excuses itself alone.
  CHECK(error(toml, network("", "fc.", 7, 4), model(7, 6)) == "no error");
  Shapes stem = network("", "fc.", 7, 4);
  stem.erase(stem.begin() + 1);
  CHECK(error(toml, stem, model(7, 6)).find("Missing key(s) in state_dict: \"bn1.weight\". ") !=
        std::string::npos);
}

TEST_CASE("timm: the background class of 1001 is left out, other offsets when asked for") {
  const std::string classic = "profile = \"timm-classic\"\nurl = \"a.pth\"";
  const Lines lines = plan(classic, network("", "fc.", 1001), model(1000));
  CHECK(has(lines, "adapt fc.weight -> heads.0.clf.0.weight (rows 1 to 1000 of 1001)"));
  CHECK(has(lines, "adapt fc.bias -> heads.0.clf.0.bias (rows 1 to 1000 of 1001)"));
  CHECK(has(
      plan("profile = \"timm\"\nurl = \"a\"\nlabel_offset = 2", network("", "fc.", 12), model(10)),
      "adapt fc.weight -> heads.0.clf.0.weight (rows 2 to 11 of 12)"));
}

TEST_CASE("timm: another number of input channels adapts the first convolution") {
  const std::string toml = "profile = \"timm\"\nurl = \"a.pth\"";
  const auto adapted = [&](std::int64_t from, std::int64_t to) {
    for (const std::string& line : plan(toml, network("", "fc.", 7, from), model(7, to)))
      if (line.rfind("adapt conv1.weight", 0) == 0) return line.substr(line.find('('));
    return std::string("none");
  };
  CHECK(adapted(3, 1) == "(sum of 3 input channels)");
  CHECK(adapted(12, 4) == "(sums of three of 12 input channels)");
  CHECK(adapted(3, 6) == "(3 input channels repeated to 6)");
  CHECK(adapted(4, 6) == "none");
}

TEST_CASE("timm: what became of the first convolution is told in the lines of each function") {
  const auto lines = [](const std::string& profile, std::int64_t from, std::int64_t to) {
    return said(plan("profile = \"" + profile + "\"\nurl = \"a.pth\"",
                     network("backbone.", "head.fc.", 7, from), model(7, to)));
  };
  const auto converted = [](const char* channels) {
    return Lines{std::string("say 1: Converted input conv backbone.conv1 pretrained weights from 3 "
                             "to ") +
                 channels + " channel(s)"};
  };
  CHECK(lines("timm", 3, 3).empty());
  CHECK(lines("timm", 3, 1) == converted("1"));
  CHECK(lines("timm", 3, 6) == converted("6"));
  CHECK(lines("timm", 12, 4) == converted("1"));
  CHECK(lines("timm", 4, 6).front() ==
        "say 2: Unable to convert pretrained backbone.conv1 weights, using random init for this "
        "layer.");
  CHECK(lines("timm-classic", 3, 1) ==
        Lines{"say 1: Converting first conv (backbone.conv1) pretrained weights from 3 to 1 "
              "channel"});
  CHECK(lines("timm-classic", 12, 4) ==
        Lines{"say 1: Converting first conv (backbone.conv1) pretrained weights from 3 to 1 "
              "channel"});
  CHECK(lines("timm-classic", 3, 6) ==
        Lines{"say 1: Repeating first conv (backbone.conv1) weights in channel dim."});
  CHECK(lines("timm-classic", 4, 6).front() ==
        "say 2: Deleting first conv (backbone.conv1) from pretrained weights.");
}

TEST_CASE("timm: averaged weights come first unless they are not wanted") {
  Shapes file = network("state_dict.", "state_dict.fc.", 7);
  for (const NamedShape& tensor : network("state_dict_ema.", "state_dict_ema.fc.", 7))
    file.push_back(tensor);
  const std::string toml = "profile = \"timm\"\nurl = \"a.pth\"\n";
  CHECK(has(plan(toml, file, model(7)),
            "load state_dict_ema.conv1.weight -> " + kTrunk + "conv1.weight"));
  CHECK(has(plan(toml + "use_ema = false", file, model(7)),
            "load state_dict.conv1.weight -> " + kTrunk + "conv1.weight"));
}

TEST_CASE("vis4d: one report with size, unexpected and missing lines; strict raises it") {
  Shapes file = network("state_dict.module.", "state_dict.module.fc.", 9);
  file.erase(file.begin() + 1, file.begin() + 3);  // bn1.weight and its counter
  file.push_back({"state_dict.module.extra", {2}});
  const std::string report =
      "The model and loaded state dict do not match exactly\n\n"
      "size mismatch for fc.weight: copying a param with shape torch.Size([9, 8]) from checkpoint, "
      "the shape in current model is torch.Size([7, 8]).\n"
      "size mismatch for fc.bias: copying a param with shape torch.Size([9]) from checkpoint, the "
      "shape in current model is torch.Size([7]).\n"
      "unexpected key in source state_dict: extra\n\n"
      "missing keys in source state_dict: bn1.weight\n";
  const std::string toml = "profile = \"vis4d\"\nweights = \"a.pth\"\n";
  CHECK(said(plan(toml, file, model(7))) ==
        Lines{"say 1: Load checkpoint from local path: a.pth", "say 2: " + report});
  CHECK(error(toml + "strict = true", file, model(7)) ==
        report + "\nset strict = false of [model.weights_init] to load what fits");
}

TEST_CASE("essmc2: the trunk's class is named, known by its tensors") {
  const auto line = [](const std::string& name) {
    return said(plan("profile = \"essmc2\"\npath = \"a.pth\"", {{name, {2}}},
                     {{"trunk." + name, {2}}}))
        .at(0);
  };
  CHECK(line("blocks.0.attn.qkv.bias") ==
        "say 1: Load pretrained model [VisionTransformer] from a.pth");
  CHECK(line("_feature_blocks.res2.block1-0.bias") ==
        "say 1: Load pretrained model [RegNet] from a.pth");
  CHECK(line("conv.bias") == "say 1: Load pretrained model [Backbone] from a.pth");
}

TEST_CASE("mmcv, vis4d: the line on the source has the loading function's word") {
  const auto line = [](const std::string& profile, const std::string& key,
                       const std::string& locator) {
    return said(plan("profile = \"" + profile + "\"\n" + key + " = \"" + locator + "\"",
                     network("", "fc.", 7), model(7)))
        .at(0);
  };
  for (const auto& [locator, word] : {std::pair("a.pth", "local"),
                                      {"file:///a.pth", "local"},
                                      {"https://a.org/b.pth", "http"},
                                      {"modelzoo://resnet50", "torchvision"},
                                      {"torchvision://resnet50", "torchvision"},
                                      {"open-mmlab://resnet50_caffe", "openmmlab"},
                                      {"openmmlab://a", "openmmlab"},
                                      {"mmcls://a", "mmcls"},
                                      {"s3://a/b", "ceph"},
                                      {"open-mmlab:s3://a/b", "ceph"}})
    CHECK(line("mmcv", "filename", locator) ==
          std::string("say 1: load checkpoint from ") + word + " path: " + locator);
  CHECK(line("vis4d", "weights", "mmdet://a.pth") ==
        "say 1: Load checkpoint from http path: mmdet://a.pth");
}

TEST_CASE("mmcv: revise_keys are Python's regular expressions, in order, over every name") {
  const Shapes file = network("state_dict.encoder.stage_1_", "state_dict.cls.", 7);
  const std::string toml =
      "profile = \"mmcv\"\nfilename = \"a.pth\"\nclassifier = [\"fc\"]\n"
      "revise_keys = [['^encoder\\.stage_(?P<n>\\d)_', ''], ['^cls\\.', 'fc.']]";
  const Lines lines = plan(toml, file, model(7));
  CHECK(has(lines, "load state_dict.encoder.stage_1_conv1.weight -> " + kTrunk + "conv1.weight"));
  CHECK(has(lines, "load state_dict.cls.weight -> heads.0.clf.0.weight"));
  CHECK(error("profile = \"mmcv\"\nfilename = \"a\"\nrevise_keys = [['a(', '']]", file, model(7))
            .find("the rule 'a(': missing ), unterminated subpattern at position 1; ") == 0);
}

TEST_CASE("auto: wrapper, prefix and names are found, and the best choices told") {
  const std::string toml = "profile = \"auto\"\npath = \"a.pth\"";
  Shapes file = network("state_dict.module.encoder_k.", "state_dict.module.encoder_k.fc.", 128);
  for (const NamedShape& tensor :
       network("state_dict.module.encoder_q.", "state_dict.module.encoder_q.fc.", 128))
    file.push_back(tensor);
  const Lines lines = plan(toml, file, model(7));
  CHECK(has(lines, "load state_dict.module.encoder_q.conv1.weight -> " + kTrunk + "conv1.weight"));
  CHECK(said(lines) ==
        Lines{"say 1: weights: chosen 'state_dict.module.encoder_q.…' as 'trunk._feature_blocks.…' "
              "(the same names): 100.0 % of the trunk in 4 tensors",
              "say 1: weights: next best 'state_dict.module.encoder_k.…' as "
              "'trunk._feature_blocks.…' (the same names): 100.0 % of the trunk in 4 tensors"});
}

TEST_CASE("auto: trunks under the names of other systems are recognised") {
  struct Case {
    const char* system;
    Shapes file;
    const char* line;
  };
  const std::vector<Case> cases = {
      {"lightly's Sequential",
       {{"backbone.0.weight", {4, 3, 3, 3}},
        {"backbone.1.weight", {4}},
        {"backbone.4.0.conv1.weight", {8, 4, 3, 3}}},
       "load backbone.4.0.conv1.weight -> trunk._feature_blocks.layer1.0.conv1.weight"},
      {"Detectron2's names",
       {{"model.stem.conv1.weight", {4, 3, 3, 3}},
        {"model.stem.conv1.norm.weight", {4}},
        {"model.res2.0.conv1.weight", {8, 4, 3, 3}}},
       "load model.stem.conv1.norm.weight -> trunk._feature_blocks.bn1.weight"},
      {"ClassyVision's names",
       {{"trunk.initial_block._module.0.weight", {4, 3, 3, 3}},
        {"trunk.initial_block._module.1.weight", {4}},
        {"trunk.blocks.0.block0-0.convolutional_block.0.weight", {8, 4, 3, 3}}},
       "load trunk.blocks.0.block0-0.convolutional_block.0.weight -> "
       "trunk._feature_blocks.layer1.0.conv1.weight"},
      {"Caffe2's names",
       {{"blobs.conv1_w", {4, 3, 3, 3}},
        {"blobs.res_conv1_bn_s", {4}},
        {"blobs.res2_0_branch2a_w", {8, 4, 3, 3}}},
       "load blobs.res_conv1_bn_s -> trunk._feature_blocks.bn1.weight"},
  };
  for (const Case& c : cases) {
    INFO(c.system);
    const Lines lines = plan("profile = \"auto\"\npath = \"a.pth\"", c.file, model(7));
    CHECK(has(lines, c.line));
    CHECK(said(lines).front().find(c.system) != std::string::npos);
  }
}

TEST_CASE("auto: RegNets of torchvision and timm, and torchvision's vision transformer") {
  const Shapes regnet = {{kTrunk + "conv1.stem.0.weight", {4, 3, 3, 3}},
                         {kTrunk + "res2.block1-0.f.se.excitation.2.weight", {8, 2, 1, 1}},
                         {kTrunk + "res2.block1-1.f.final_bn.weight", {8}},
                         {kTrunk + "res2.block1-0.proj.weight", {8, 4, 1, 1}}};
  const std::string toml = "profile = \"auto\"\npath = \"a.pth\"";
  const Lines torchvision = plan(toml,
                                 {{"stem.0.weight", {4, 3, 3, 3}},
                                  {"trunk_output.block1.block1-0.f.se.fc2.weight", {8, 2, 1, 1}},
                                  {"trunk_output.block1.block1-1.f.c.1.weight", {8}},
                                  {"trunk_output.block1.block1-0.proj.0.weight", {8, 4, 1, 1}}},
                                 regnet);
  CHECK(has(torchvision, "load trunk_output.block1.block1-0.f.se.fc2.weight -> " + regnet[1].name));
  CHECK(has(torchvision, "load trunk_output.block1.block1-1.f.c.1.weight -> " + regnet[2].name));
  CHECK(has(torchvision, "load trunk_output.block1.block1-0.proj.0.weight -> " + regnet[3].name));
  const Lines timm = plan(toml,
                          {{"stem.conv.weight", {4, 3, 3, 3}},
                           {"s1.b1.se.fc2.weight", {8, 2, 1, 1}},
                           {"s1.b2.conv3.bn.weight", {8}},
                           {"s1.b1.downsample.conv.weight", {8, 4, 1, 1}}},
                          regnet);
  CHECK(has(timm, "load s1.b1.se.fc2.weight -> " + regnet[1].name));
  CHECK(has(timm, "load s1.b2.conv3.bn.weight -> " + regnet[2].name));
  CHECK(has(timm, "load s1.b1.downsample.conv.weight -> " + regnet[3].name));
  const Lines vit = plan(toml,
                         {{"class_token", {1, 1, 8}},
                          {"encoder.layers.encoder_layer_3.self_attention.in_proj_bias", {24}},
                          {"encoder.layers.encoder_layer_3.mlp.linear_2.weight", {8, 32}}},
                         {{"trunk.cls_token", {1, 1, 8}},
                          {"trunk.blocks.3.attn.qkv.bias", {24}},
                          {"trunk.blocks.3.mlp.fc2.weight", {8, 32}}});
  CHECK(has(vit,
            "load encoder.layers.encoder_layer_3.self_attention.in_proj_bias -> "
            "trunk.blocks.3.attn.qkv.bias"));
  CHECK(has(vit,
            "load encoder.layers.encoder_layer_3.mlp.linear_2.weight -> "
            "trunk.blocks.3.mlp.fc2.weight"));
}

TEST_CASE("auto: a file of another network says that nothing fits") {
  CHECK(error("profile = \"essmc2\"\npath = \"a.pth\"", {{"decoder.weight", {5, 5}}}, model(7)) ==
        "nothing in the file matches the model: the first name is 'decoder.weight', the model has "
        "'trunk.…'; set append_prefix, sub_level or rev_keys of "
        "[model.weights_init], or profile = \"auto\"");
  CHECK(error("profile = \"auto\"\npath = \"a.pth\"", {{"decoder.weight", {5, 5}}}, model(7)) ==
        "no prefix and no system's names make any tensor of the file fit the model; the first is "
        "'decoder.weight' torch.Size([5, 5]); `vissl-host inspect` lists them all");
}
