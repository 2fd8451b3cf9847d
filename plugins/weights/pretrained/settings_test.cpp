// Keys of [model.weights_init]: each is honoured by a profile, or refused by it.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "pretrained_test.hpp"

namespace {

const std::string kTrunk = "trunk._feature_blocks.";
const Shapes kModel = {{kTrunk + "conv1.weight", {4, 3, 3, 3}},
                       {kTrunk + "bn1.weight", {4}},
                       {kTrunk + "layer1.0.conv1.weight", {8, 4, 3, 3}}};

Shapes below(const std::string& prefix) {
  Shapes file = kModel;
  for (auto& tensor : file) tensor.name = prefix + tensor.name.substr(kTrunk.size());
  return file;
}

Shapes both(Shapes first, const Shapes& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

std::string with(const std::string& profile, const std::string& more) {
  return "profile = \"" + profile + "\"\npath = \"a.pth\"\n" + more;
}

// The beginning of the names that are loaded: "state_dict.backbone.".
std::string chosen(const std::string& more, const Shapes& file) {
  const std::string end = "conv1.weight -> " + kTrunk + "conv1.weight";
  for (const std::string& line : plan(with("auto", more), file, kModel))
    if (line.rfind("load ", 0) == 0 && line.size() >= end.size() &&
        line.compare(line.size() - end.size(), end.size(), end) == 0)
      return line.substr(5, line.size() - end.size() - 5);
  return "none";
}

}  // namespace

TEST_CASE("a key that a profile does not read is refused, with those that do") {
  struct Case {
    const char* key;
    const char* setting;
    std::vector<const char*> readers;
  };
  const std::vector<const char*> all = {"vissl", "vissl-0.1.6",  "essmc2",
                                        "timm",  "timm-classic", "mmcv",
                                        "vis4d", "detectron2",   "auto"};
  const std::vector<const char*> timm = {"timm", "timm-classic", "auto"};
  const std::vector<const char*> systems = {"essmc2", "timm",  "timm-classic",
                                            "mmcv",   "vis4d", "detectron2"};
  std::vector<const char*> not_vissl = systems;
  not_vissl.push_back("auto");
  const std::vector<Case> cases = {{"sub_level", "'a'", not_vissl},
                                   {"prefix", "'a'", not_vissl},
                                   {"rev_keys", "[['a', 'b']]", not_vissl},
                                   {"revise_keys", "[['a', 'b']]", not_vissl},
                                   {"use_ema", "false", timm},
                                   {"use_ema", "true", timm},
                                   {"label_offset", "1", timm},
                                   {"label_rows", "[1]", not_vissl},
                                   {"label_rows_file", "'/dev/null'", not_vissl},
                                   {"first_conv", "['a']", timm},
                                   {"classifier", "['a']", not_vissl},
                                   {"matching_heuristics", "true", systems},
                                   {"remap", "true", systems},
                                   {"remove_prefix", "'a'", all},
                                   {"append_prefix", "'a'", all},
                                   {"strict", "true", all},
                                   {"shape_mismatch", "'drop'", all},
                                   {"dtype_mismatch", "'drop'", all},
                                   {"filters", "['jax']", all},
                                   {"skip_layers", "['a']", all},
                                   {"state_dict_key_name", "'a'", all},
                                   {"map_location", "'cuda'", all}};
  for (const Case& c : cases) {
    for (const char* profile : all) {
      CAPTURE(c.key);
      CAPTURE(profile);
      const std::string text =
          error(with(profile, std::string(c.key) + " = " + c.setting), below(""), kModel);
      const bool read =
          std::find(c.readers.begin(), c.readers.end(), std::string(profile)) != c.readers.end();
      const std::string refusal = std::string(c.key) +
                                  " of [model.weights_init] is not read by profile = \"" + profile +
                                  "\", only by ";
      CHECK((text.rfind(refusal, 0) == 0) == !read);
    }
  }
  CHECK(error(with("mmcv", "label_offset = 1"), below(""), kModel) ==
        "label_offset of [model.weights_init] is not read by profile = \"mmcv\", only by timm, "
        "timm-classic and auto; label_rows lists the rows, with every profile but VISSL's");
  // Defaults that are written out ask for nothing.
  CHECK(error(with("mmcv", "label_offset = 0\nlabel_rows = []\nfirst_conv = []\nremap = false"),
              below(""), kModel) == "no error");
  CHECK(error(with("timm", "remap = true\nappend_prefix = 'trunk.'"), below(""), kModel) ==
        "append_prefix of [model.weights_init] is not read with remap = true, which pairs all "
        "names by itself; keep one");
}

TEST_CASE("a classifier, or rows of it, that the file does not have is an error") {
  const Shapes model = both(kModel, {{"heads.0.clf.0.weight", {2, 8}}});
  const Shapes file = both(below(""), {{"last.weight", {3, 8}}});
  for (const char* profile : {"timm", "auto", "mmcv"}) {
    CAPTURE(profile);
    CHECK(error(with(profile, "classifier = ['fc']"), file, model) ==
          "classifier of [model.weights_init] names 'fc', which is no layer of the file beside the "
          "trunk; its names begin with 'conv1.weight'");
    CHECK(error(with(profile, "label_rows = [2, 0]"), file, model) ==
          "label_rows of [model.weights_init] chooses rows of the file's classifier, which was not "
          "found; say with classifier which layer it is");
    CHECK(has(plan(with(profile, "label_rows = [2, 0]\nclassifier = ['last']"), file, model),
              "adapt last.weight -> heads.0.clf.0.weight (2 rows of 3 as label_rows lists them)"));
  }
  // A model without a head asks for none.
  CHECK(error(with("auto", "label_offset = 1"), file, kModel) == "no error");
}

TEST_CASE("auto: sub_level and prefix take what is below them, wherever it begins") {
  const Shapes file = both(below("backbone."), below("momentum_backbone."));
  CHECK(chosen("", file) == "backbone.");
  for (const std::string key : {"sub_level", "prefix"}) {
    CHECK(chosen(key + " = 'momentum_backbone'", file) == "momentum_backbone.");
    CHECK(chosen(key + " = 'backbone'", file) == "backbone.");
    CHECK(chosen(key + " = 'momentum'",
                 both(below("state_dict.module.momentum.net."), below("state_dict.module.net."))) ==
          "state_dict.module.momentum.net.");
  }
  // Of two depths the outer one.
  CHECK(chosen("sub_level = 'net'", both(below("model.a.net."), below("model.net."))) ==
        "model.net.");
  CHECK(error(with("auto", "sub_level = 'neck'"), file, kModel) ==
        "neck is not in the pretrained model: no name has 'neck.' at its beginning or after a dot; "
        "the first is 'backbone.conv1.weight'; 3 tensors below 'backbone.' fit the model");
}

TEST_CASE("auto: remove_prefix, rules and append_prefix are honoured, in the systems' order") {
  const Shapes file = both(below("state_dict.old."), below("state_dict.new."));
  CHECK(chosen("", file) == "state_dict.new.");
  CHECK(chosen("rev_keys = [['^new\\.', 'x_']]", file) == "state_dict.old.");
  CHECK(chosen("revise_keys = [['^stage_', '']]", below("model.stage_")) == "model.stage_");
  CHECK(error(with("auto", ""), below("model.stage_"), kModel) ==
        "no prefix and no system's names make any tensor of the file fit the model; the first is "
        "'model.stage_conv1.weight' torch.Size([4, 3, 3, 3]); `vissl-host inspect` lists them all");
  CHECK(chosen("remove_prefix = 'net_'\nrev_keys = [['^a_', '']]", below("net_a_")) == "net_a_");
  const std::string append = "append_prefix = '" + kTrunk;
  CHECK(chosen(append + "'", below("module.backbone.")) == "module.backbone.");
  // A part of the trunk alone, which would be found elsewhere by itself.
  const Lines part =
      plan(with("auto", append + "layer1.'"), {{"x.0.conv1.weight", {8, 4, 3, 3}}}, kModel);
  CHECK(has(part, "load x.0.conv1.weight -> " + kTrunk + "layer1.0.conv1.weight"));
  CHECK(error(with("auto", "append_prefix = 'trunk.blocks.'"), below(""), kModel) ==
        "append_prefix = \"trunk.blocks.\" makes no tensor of the file fit the model; without it "
        "'…' as 'trunk._feature_blocks.…' (the same names): 100.0 % of the trunk in 3 tensors");
}

TEST_CASE("auto: use_ema chooses between a network and its average") {
  const Shapes average = both(below("state_dict."), below("state_dict_ema."));
  CHECK(chosen("", average) == "state_dict.");
  CHECK(chosen("use_ema = true", average) == "state_dict_ema.");
  CHECK(chosen("use_ema = false", average) == "state_dict.");
  const Shapes dino = both(below("student.module."), below("teacher.module."));
  CHECK(chosen("", dino) == "teacher.module.");
  CHECK(chosen("use_ema = true", dino) == "teacher.module.");
  CHECK(chosen("use_ema = false", dino) == "student.module.");
  // Averages without all tensors are still what is asked for; a scrap is not.
  Shapes fewer = average;
  fewer.erase(fewer.begin() + 4);
  CHECK(chosen("use_ema = true", fewer) == "state_dict_ema.");
  fewer.pop_back();
  CHECK(chosen("use_ema = true", fewer) == "state_dict.");
}

TEST_CASE("a file whose names fit and whose shapes do not says so, with the first of them") {
  Shapes wider = below("backbone.");
  for (auto& tensor : wider) ++tensor.shape[0];
  const std::string told =
      "3 of its names match the model's, but no shape does: the first is 'backbone.conv1.weight' "
      "torch.Size([5, 3, 3, 3]), 'trunk._feature_blocks.conv1.weight' of the model is "
      "torch.Size([4, 3, 3, 3]); make the trunk the one that was saved";
  for (const char* profile : {"essmc2", "timm", "mmcv", "vis4d", "detectron2"}) {
    CAPTURE(profile);
    CHECK(error(with(profile, ""), wider, kModel) == "nothing in the file fits the model: " + told);
  }
  CHECK(error(with("auto", ""), wider, kModel) ==
        "no prefix and no system's names make any tensor of the file fit the model: " + told);
  CHECK(error(with("vissl", "state_dict_key_name = ''"), wider, kModel).find(told) !=
        std::string::npos);
  CHECK(error(with("mmcv", ""), {{"decoder.weight", {5, 5}}}, kModel) ==
        "nothing in the file matches the model: the first name is 'decoder.weight', the model has "
        "'trunk.…'; set append_prefix, sub_level or rev_keys of [model.weights_init], or profile = "
        "\"auto\"");
}

TEST_CASE("mmcv: an append_prefix that matches nothing, or little, is told which would") {
  const std::string wrong = "append_prefix = 'trunk.blocks.'";
  CHECK(error(with("mmcv", wrong), below("state_dict.backbone."), kModel) ==
        "append_prefix = \"trunk.blocks.\" makes no name of the file the model's: the first is "
        "'trunk.blocks.backbone.conv1.weight', the model's 'trunk._feature_blocks.conv1.weight'; "
        "set sub_level = \"backbone\" and append_prefix = \"trunk._feature_blocks.\", with which 3 "
        "tensors fit");
  CHECK(
      error(with("essmc2", wrong + "\nsub_level = 'net'"), below("net.backbone."), kModel)
          .find("set sub_level = \"net.backbone\" and append_prefix = \"trunk._feature_blocks.\", "
                "with which 3 tensors fit") != std::string::npos);
  CHECK(error(with("mmcv", wrong), {{"decoder.weight", {5, 5}}}, kModel)
            .find("; leave append_prefix out, for which the profile looks for the names itself") !=
        std::string::npos);
  const Shapes more = {{kTrunk + "extra", {1}}};
  CHECK(has(plan(with("mmcv", "append_prefix = 'trunk.'"),
                 both(below(""), {{"_feature_blocks.extra", {1}}}), both(kModel, more)),
            "say 2: weights: append_prefix fits little of the trunk; set append_prefix = "
            "\"trunk._feature_blocks.\", with which 3 tensors fit"));
}

TEST_CASE("heuristics that a locator asks for leave no key unread either") {
  const std::string toml =
      "profile = \"detectron2\"\npath = \"a.pkl?matching_heuristics=True\"\nappend_prefix = \"b.\"";
  CHECK(error(toml, below("model."), kModel) ==
        "append_prefix of [model.weights_init] is not read with matching_heuristics = true, which "
        "pairs all names by itself; keep one");
}
