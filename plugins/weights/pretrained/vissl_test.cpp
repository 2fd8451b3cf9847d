#include <vissl/test.hpp>
#include <vissl/weights.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace {

using Names = std::vector<std::string>;

using Tensor = vissl::test::NamedShape;
using Shapes = std::vector<Tensor>;

struct Plan {
  std::map<std::string, std::string> loads;    // target -> name in the file
  std::map<std::string, std::string> skips;    // target -> reason
  std::map<std::string, std::string> adapts;   // target -> what
  std::map<std::string, std::string> ignores;  // name in the file -> reason
  Names messages;
};

// "KIND a -> b (why)": the part between two texts, to the end without `end`.
std::string between(const std::string& line, const std::string& begin, const std::string& end) {
  const std::size_t from = line.find(begin) + begin.size();
  return line.substr(from, end.empty() ? std::string::npos : line.find(end, from) - from);
}

Plan plan(const std::string& toml, const Shapes& source, const Shapes& targets) {
  vissl::test::Host host;
  host.load(VISSL_PLUGIN_DIR "/pretrained.so");
  Plan result;
  for (const std::string& line : vissl::test::plan_weights(
           host.component("weights", "pretrained").create("params_file = \"x.torch\"\n" + toml),
           source, targets)) {
    if (line.rfind("load ", 0) == 0) {
      result.loads[between(line, " -> ", "")] = between(line, "load ", " -> ");
    } else if (line.rfind("skip ", 0) == 0) {
      result.skips[between(line, "skip ", " (")] = between(line, " (", ")");
    } else if (line.rfind("adapt ", 0) == 0) {
      result.adapts[between(line, " -> ", " (")] = between(line, " (", ")");
    } else if (line.rfind("ignore ", 0) == 0) {
      const std::string name = between(line, "ignore ", " (");
      result.ignores[name] = line.substr(name.size() + 9, line.size() - name.size() - 10);
    } else if (line.rfind("say ", 0) == 0) {
      result.messages.push_back(between(line, ": ", ""));
    }
  }
  return result;
}

std::string error(const std::string& toml, const Shapes& source, const Shapes& targets) {
  try {
    plan(toml, source, targets);
  } catch (const vissl::Failure& failure) {
    CHECK(failure.status() == VISSL_E_CONFIG);
    return failure.what();
  }
  return "no error";
}

const std::string kModel = "classy_state_dict.base_model.model.";
// Names alone: every tensor has two elements.
Shapes named(const Names& names) {
  Shapes list;
  for (const std::string& name : names) list.push_back({name, {2}});
  return list;
}

const Shapes kVissl =
    named({kModel + "trunk._feature_blocks.conv1.weight",
           kModel + "trunk._feature_blocks.bn1.num_batches_tracked",
           kModel + "heads.0.clf.0.weight", "classy_state_dict.optimizer.state.0.momentum_buffer"});
const Shapes kPlain =
    named({"trunk._feature_blocks.conv1.weight", "trunk._feature_blocks.bn1.num_batches_tracked",
           "heads.0.clf.0.weight"});
const Shapes kWrapped =
    named({"trunk.base_model._feature_blocks.conv1.weight", "heads.0.clf.0.weight"});

}  // namespace

TEST_CASE("pretrained: a checkpoint of VISSL or of this project loads trunk and heads") {
  const Plan p = plan("", kVissl, kPlain);
  CHECK(p.loads ==
        std::map<std::string, std::string>{{"trunk._feature_blocks.conv1.weight", kVissl[0].name},
                                           {"heads.0.clf.0.weight", kVissl[2].name}});
  CHECK(p.skips.at("trunk._feature_blocks.bn1.num_batches_tracked") ==
        "skip_layers has 'num_batches_tracked'");
}

TEST_CASE("pretrained: what skip_layers has a part of stays as initialised, and is told") {
  const Plan p = plan("skip_layers = [\"conv1\", \"heads.\"]", kVissl, kPlain);
  CHECK(p.skips ==
        std::map<std::string, std::string>{{kPlain[0].name, "skip_layers has 'conv1'"},
                                           {kPlain[2].name, "skip_layers has 'heads.'"}});
  // A list of one's own replaces the default, which skips counters of batches.
  CHECK(p.loads.count(kPlain[1].name) == 1);
  CHECK(plan("skip_layers = []", kVissl, kPlain).loads.size() == 3);
}

TEST_CASE("pretrained: the wrapper of feature evaluation is put in and taken out") {
  CHECK(plan("", kVissl, kWrapped).loads.at(kWrapped[0].name) == kVissl[0].name);
  const Shapes wrapped_file = named({kModel + "trunk.base_model._feature_blocks.conv1.weight"});
  CHECK(plan("", wrapped_file, kWrapped).loads.at(kWrapped[0].name) == wrapped_file[0].name);
  CHECK(plan("", wrapped_file, kPlain).loads.at(kPlain[0].name) == wrapped_file[0].name);
}

TEST_CASE("pretrained: skip_layers takes parts of names, shell patterns and expressions") {
  const auto skipped = [](const std::string& entries) {
    Names names;
    for (const auto& [name, reason] : plan("skip_layers = [" + entries + "]", kVissl, kPlain).skips)
      names.push_back(name + ": " + reason);
    return names;
  };
  const std::string head = "heads.0.clf.0.weight", norm = kPlain[1].name;
  CHECK(skipped("").empty());
  CHECK(skipped("\"clf\"") == Names{head + ": skip_layers has 'clf'"});
  CHECK(skipped("\"glob:heads.*\"") == Names{head + ": skip_layers has 'glob:heads.*'"});
  CHECK(skipped("\"glob:heads\", \"glob:clf.*\"").empty());
  CHECK(skipped("\"glob:*.bn[0-9].*\"") == Names{norm + ": skip_layers has 'glob:*.bn[0-9].*'"});
  CHECK(skipped(R"("re:^heads\\.\\d")") == Names{head + R"(: skip_layers has 're:^heads\.\d')"});
  CHECK(skipped("\"re:^clf\"").empty());
  CHECK(skipped("\"re:bn1|clf\"").size() == 2);
  CHECK(error("skip_layers = [\"re:a(\"]", kVissl, kPlain).find("the rule 'a(': ") == 0);
  CHECK(error("skip_layers = [\"glob:\"]", kVissl, kPlain)
            .find("skip_layers has the entry 'glob:'") == 0);
}

TEST_CASE("pretrained: heads stay as initialised when features are evaluated") {
  Plan p = plan("eval_mode_on = true", kVissl, kPlain);
  CHECK(p.loads.size() == 1);
  CHECK(p.skips.at("heads.0.clf.0.weight") == "heads are not loaded when features are evaluated");
  p = plan("eval_mode_on = true\neval_trunk_and_head = true", kVissl, kPlain);
  CHECK(p.loads.size() == 2);
}

TEST_CASE("pretrained: a head of another shape is loaded, to fail, unless that is switched off") {
  Shapes targets = kPlain;
  targets[2].shape = {3};
  CHECK(plan("", kVissl, targets).loads.count("heads.0.clf.0.weight") == 1);
  const Plan p = plan("assert_head_layer_shape_init = false", kVissl, targets);
  CHECK(p.loads.count("heads.0.clf.0.weight") == 0);
  CHECK(p.skips.count("heads.0.clf.0.weight") == 0);
  CHECK(p.ignores.at(kVissl[2].name) ==
        "it is torch.Size([2]), 'heads.0.clf.0.weight' of the model is torch.Size([3])");
}

TEST_CASE("pretrained: what is left out for its shape is missing, and strict counts it") {
  Shapes targets = kPlain;
  targets[0].shape = {2, 5};
  const std::string toml = "shape_mismatch = \"drop\"";
  const Plan p = plan(toml, kVissl, targets);
  CHECK(p.loads.size() == 1);
  CHECK(p.skips == std::map<std::string, std::string>{
                       {kPlain[1].name, "skip_layers has 'num_batches_tracked'"}});
  CHECK(p.ignores.at(kVissl[0].name) ==
        "it is torch.Size([2]), 'trunk._feature_blocks.conv1.weight' of the model is "
        "torch.Size([2, 5])");
  CHECK(error(toml + "\nstrict = true", kVissl, targets) ==
        "1 tensors of the model are not in the file, the first is "
        "'trunk._feature_blocks.conv1.weight'; check the prefixes, list them in skip_layers, or "
        "set strict = false");
}

TEST_CASE("pretrained: torchvision's names take a prefix, for both kinds of models") {
  const Shapes file = named({"conv1.weight", "fc.weight"});
  const std::string toml = "state_dict_key_name = \"\"\nappend_prefix = \"trunk._feature_blocks.\"";
  CHECK(plan(toml, file, kPlain).loads ==
        std::map<std::string, std::string>{{kPlain[0].name, "conv1.weight"}});
  CHECK(plan(toml, file, kWrapped).loads.at(kWrapped[0].name) == "conv1.weight");
  // VISSL's guides tell to write the infix too; it is not doubled.
  const std::string doubled =
      "state_dict_key_name = \"\"\nappend_prefix = \"trunk.base_model._feature_blocks.\"";
  CHECK(plan(doubled, file, kWrapped).loads.at(kWrapped[0].name) == "conv1.weight");
  CHECK(plan(doubled, file, kPlain).loads.at(kPlain[0].name) == "conv1.weight");
}

TEST_CASE("pretrained: a prefix is removed once, at the start, under a list of keys") {
  const Shapes file = named({"a.b.module.module.conv1.weight", "a.b.module.conv1.weight"});
  const Plan p = plan(
      "state_dict_key_name = [\"a\", \"b\"]\nremove_prefix = \"module.\"\nappend_prefix = "
      "\"trunk._feature_blocks.\"",
      file, kPlain);
  CHECK(p.loads.at(kPlain[0].name) == "a.b.module.conv1.weight");
  CHECK(p.loads.size() == 1);
}

TEST_CASE("pretrained: an unknown key shows the file's own") {
  const Shapes file = named({"model.conv1.weight", "optimizer.x"});
  CHECK(error("", file, kPlain) ==
        "the file has no state dict 'classy_state_dict'; its names begin with 'model', "
        "'optimizer'; set state_dict_key_name of [model.weights_init], \"\" for a file that is the "
        "state dict itself, or profile = \"auto\"");
}

TEST_CASE(
    "pretrained: names that fit nothing ask for prefixes that would, and strict counts what is "
    "missing") {
  const Shapes file = named({"model.conv1.weight"});
  CHECK(error("state_dict_key_name = \"model\"", file, kPlain) ==
        "no tensor of the file is called \"trunk.…\" or \"heads.…\": the first is 'conv1.weight'; "
        "set remove_prefix = \"\" and append_prefix = \"trunk._feature_blocks.\", with which 1 "
        "tensors fit");
  CHECK(error("state_dict_key_name = \"\"", named({"stem.kernel"}), kPlain) ==
        "no tensor of the file is called \"trunk.…\" or \"heads.…\": the first is 'stem.kernel'; "
        "set remove_prefix and append_prefix, e.g. append_prefix = \"trunk._feature_blocks.\" for "
        "torchvision's ResNets, or profile = \"auto\"");
  CHECK(error("state_dict_key_name = \"model\"\nappend_prefix = \"trunk._feature_blocks.\"\nstrict "
              "= true",
              file, kPlain) ==
        "1 tensors of the model are not in the file, the first is 'heads.0.clf.0.weight'; check "
        "the prefixes, list them in skip_layers, or set strict = false");
}

TEST_CASE("pretrained: prefixes that fit nothing or little are answered with those that would") {
  const std::string toml = "state_dict_key_name = \"\"\nappend_prefix = \"trunk.\"";
  const std::string lines =
      "set remove_prefix = \"\" and append_prefix = \"trunk._feature_blocks.\", with which ";
  Shapes file = named({"conv1.weight", "bn1.num_batches_tracked", "fc.weight"});
  CHECK(error(toml, file, kPlain) ==
        "no tensor of the file fits the model: the first is 'trunk.conv1.weight', the model's "
        "'trunk._feature_blocks.conv1.weight'; " +
            lines + "2 tensors fit");
  file.push_back({"_feature_blocks.extra", {1}});
  Shapes model = kPlain;
  model.push_back({"trunk._feature_blocks.extra", {1}});
  const auto warned = [&](const std::string& settings) {
    Names found;
    for (const std::string& line : plan(settings, file, model).messages)
      if (line.find("remove_prefix") != std::string::npos) found.push_back(line);
    return found;
  };
  CHECK(warned(toml) ==
        Names{"weights: the prefixes fit little of the trunk; " + lines + "2 tensors fit"});
  CHECK(warned("state_dict_key_name = \"\"\nappend_prefix = \"trunk._feature_blocks.\"").empty());
  // VISSL's own place takes no prefixes, and says so.
  const std::string unread =
      "weights: remove_prefix and append_prefix do nothing below "
      "classy_state_dict, whose names are the model's; set another "
      "state_dict_key_name, or leave them out";
  CHECK(plan("append_prefix = 'trunk.'", kVissl, kPlain).messages.front() == unread);
  CHECK(plan("remove_prefix = 'trunk.'", kVissl, kPlain).messages.front() == unread);
  CHECK(error("", named({kModel + "trunk.conv1.weight"}), kPlain) ==
        "no tensor of the file fits the model: the first is 'trunk.conv1.weight', the model's "
        "'trunk._feature_blocks.conv1.weight'; set profile = \"auto\"");
}

TEST_CASE("pretrained: position embeddings are resized when both grids are square") {
  const Shapes model = {{"trunk.pos_embed", {1, 17, 8}}};
  const Plan resized = plan("", {{kModel + "trunk.pos_embed", {1, 197, 8}}}, model);
  CHECK(resized.adapts.at("trunk.pos_embed") == "position embeddings 14x14 resized to 4x4");
  // mismatch_test.cpp has those that cannot be resized.
  CHECK(error("", {{kModel + "trunk.pos_embed", {1, 196, 9}}}, model)
            .find("Unable to interpolate position embeddings: 'trunk.pos_embed' is "
                  "torch.Size([1, 196, 9]) in the file and torch.Size([1, 17, 8]) in the model") ==
        0);
}

TEST_CASE("pretrained: VISSL's own lines are there, per tensor") {
  const Shapes model = {{"trunk.conv1.weight", {4, 3, 7, 7}},
                        {"trunk.fc.count", {}},
                        {"heads.0.clf.0.weight", {2, 9}},
                        {"heads.0.clf.0.bias", {2}},
                        {"trunk.bn1.weight", {2}},
                        {"trunk.skipped", {1}}};
  const Shapes file = {{"trunk.conv1.weight", {4, 3, 7, 7}},
                       {"trunk.fc.count", {}},
                       {"heads.0.clf.0.weight", {2, 8}},
                       {"heads.0.clf.0.bias", {2}},
                       {"trunk.old.weight", {5}},
                       {"trunk.skipped", {1}},
                       {"trunk.old.bias", {5}}};
  const std::string settings = "state_dict_key_name = \"\"\nskip_layers = [\"skipped\"]\n";
  const auto lines = [&](const std::string& more) {
    return plan(settings + more, file, model).messages;
  };
  CHECK(lines("assert_head_layer_shape_init = false") ==
        Names{"Loaded: trunk.conv1.weight   of shape: torch.Size([4, 3, 7, 7]) from checkpoint",
              "Loaded: trunk.fc.count       of shape: torch.Size([]) from checkpoint",
              "Ignore shape check: heads.0.clf.0.weight checkpoint: torch.Size([2, 8]), model: "
              "torch.Size([2, 9])",
              "Ignore shape check: heads.0.clf.0.bias checkpoint: torch.Size([2]), model: "
              "torch.Size([2])",
              "Loaded: heads.0.clf.0.bias   of shape: torch.Size([2]) from checkpoint",
              "Not found:\t\ttrunk.bn1.weight, not initialized", "Ignored layer:\ttrunk.skipped",
              "Extra layers not loaded from checkpoint: ['trunk.old.weight', 'trunk.old.bias']"});
  CHECK(plan("", kVissl, kPlain).messages.back() == "Extra layers not loaded from checkpoint: []");
}

TEST_CASE("pretrained: release 0.1.6 refuses a name that is neither trunk nor head") {
  const Shapes file = named({"trunk._feature_blocks.conv1.weight", "fc.weight"});
  CHECK(plan("state_dict_key_name = \"\"", file, kPlain).loads.size() == 1);
  CHECK(error("profile = \"vissl-0.1.6\"\nstate_dict_key_name = \"\"", file, kPlain)
            .find("no tensor of the file is called") == 0);
}

TEST_CASE("pretrained: the file may have every system's name, but only one") {
  vissl::test::Host host;
  host.load(VISSL_PLUGIN_DIR "/pretrained.so");
  const auto create = [&](const std::string& toml) {
    host.component("weights", "pretrained").create(toml);
  };
  CHECK_NOTHROW(create("path = \"a.pth\""));
  CHECK_NOTHROW(create("weights = \"a.pth\""));
  const auto text = [&](const std::string& toml) -> std::string {
    try {
      create(toml);
    } catch (const vissl::Failure& failure) {
      return failure.what();
    }
    return "no error";
  };
  CHECK(text("path = \"a.pth\"\nurl = \"b.pth\"") ==
        "both path and url name the weights file; keep one");
  CHECK(text("") == "params_file of [model.weights_init] is missing: the file to load");
  CHECK(text("profile = \"timm\"\nurl = \"\"").find("params_file of") == 0);
  CHECK(text("profile = \"timm-classic\"\nurl = \"\"") == "no error");
  CHECK(text("profile = \"vis4d\"\npath = \"a.pth\"\nrev_keys = [[\"a\"]]") ==
        "rev_keys is a list of pairs [pattern, replacement], e.g. [[\"^module\\\\.\", \"\"]]");
}
