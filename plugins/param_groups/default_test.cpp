#include <vissl/param_groups.hpp>
#include <vissl/test.hpp>

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

namespace {

struct Group {
  std::string name;
  std::map<std::string, std::string> hypers;  // "0.01" or "schedule lr_head"
  std::vector<std::string> members;
};

struct Parameter {
  std::string name;
  std::uint32_t role, module;
  bool trainable = true;
};

constexpr std::uint32_t kWeight = VISSL_ROLE_WEIGHT, kBias = VISSL_ROLE_BIAS;
constexpr std::uint32_t kOther = VISSL_ROLE_OTHER;

const std::vector<Parameter> kModel = {
    {"trunk.conv1.weight", kWeight, VISSL_MODULE_CONV},
    {"trunk.conv1.bias", kBias, VISSL_MODULE_CONV},
    {"trunk.bn1.weight", kWeight, VISSL_MODULE_BATCH_NORM},
    {"trunk.bn1.bias", kBias, VISSL_MODULE_BATCH_NORM},
    {"trunk.norm.weight", kWeight, VISSL_MODULE_LAYER_NORM},
    {"trunk.gn.weight", kWeight, VISSL_MODULE_GROUP_NORM},
    {"trunk.pos_embed", kOther, VISSL_MODULE_OTHER},
    {"trunk.frozen.weight", kWeight, VISSL_MODULE_CONV, false},
    {"heads.0.clf.0.weight", kWeight, VISSL_MODULE_LINEAR},
    {"heads.0.clf.0.bias", kBias, VISSL_MODULE_LINEAR},
    {"heads.0.clf.1.weight", kWeight, VISSL_MODULE_BATCH_NORM},
    {"heads.0.clf.1.bias", kBias, VISSL_MODULE_BATCH_NORM},
};

std::vector<Group> groups_of(const std::string& toml,
                             const std::string& optimizer = "weight_decay = 0.01") {
  vissl::test::Host host;
  host.load(VISSL_PLUGIN_DIR "/default.so");
  const vissl::test::Instance instance = host.component("param_groups", "default").create(toml);
  const vissl::test::Node& config = host.keep(vissl::test::parse_toml(optimizer));
  std::vector<vissl_param_info> infos;
  for (const Parameter& p : kModel) {
    infos.push_back({sizeof(vissl_param_info), vissl::str(p.name), nullptr, p.role, p.module, 0, -1,
                     p.trainable ? 1u : 0u});
  }
  std::vector<Group> groups;
  vissl_group_sink sink{};
  sink.size = sizeof sink;
  sink.self = &groups;
  sink.add = [](void* self, vissl_str name) -> std::uint64_t {
    auto& list = *static_cast<std::vector<Group>*>(self);
    list.push_back({std::string(vissl::view(name)), {}, {}});
    return list.size() - 1;
  };
  sink.constant = [](void* self, std::uint64_t group, vissl_str hyper, double value) {
    std::string text = std::to_string(value);
    text.erase(text.find_last_not_of('0') + 1);
    (*static_cast<std::vector<Group>*>(self))[group].hypers[std::string(vissl::view(hyper))] = text;
  };
  sink.schedule = [](void* self, std::uint64_t group, vissl_str hyper, vissl_str schedule,
                     double factor) {
    CHECK(factor == 1.0);
    (*static_cast<std::vector<Group>*>(self))[group].hypers[std::string(vissl::view(hyper))] =
        "schedule " + std::string(vissl::view(schedule));
  };
  sink.assign = [](void* self, std::uint64_t param, std::uint64_t group) {
    (*static_cast<std::vector<Group>*>(self))[group].members.push_back(kModel[param].name);
  };
  vissl::call(instance.table<vissl_param_groups_class>(VISSL_PARAM_GROUPS_ID).assign,
              instance.handle(), infos.data(), std::uint64_t{infos.size()}, config.handle(), &sink);
  return groups;
}

using Names = std::vector<std::string>;
using Hypers = std::map<std::string, std::string>;

}  // namespace

TEST_CASE("param groups: by default biases decay and norms do not") {
  const std::vector<Group> groups = groups_of("");
  REQUIRE(groups.size() == 5);
  CHECK(groups[0].name == "trunk_regularized");
  CHECK(groups[0].members == Names{"trunk.conv1.weight", "trunk.conv1.bias"});
  CHECK(groups[0].hypers == Hypers{{"weight_decay", "0.01"}});
  CHECK(groups[1].name == "trunk_unregularized");
  CHECK(groups[1].members == Names{"trunk.bn1.weight", "trunk.bn1.bias", "trunk.norm.weight"});
  CHECK(groups[1].hypers == Hypers{{"weight_decay", "0."}});
  CHECK(groups[2].name == "head_regularized");
  CHECK(groups[2].members == Names{"heads.0.clf.0.weight", "heads.0.clf.0.bias"});
  CHECK(groups[2].hypers == Hypers{{"weight_decay", "0.01"}});
  CHECK(groups[3].name == "head_unregularized");
  CHECK(groups[3].members == Names{"heads.0.clf.1.weight", "heads.0.clf.1.bias"});
  CHECK(groups[4].name == "remaining_regularized");
  CHECK(groups[4].members == Names{"trunk.gn.weight", "trunk.pos_embed"});
}

TEST_CASE("param groups: regularize_bn and regularize_bias decide together over norms' biases") {
  std::vector<Group> groups = groups_of("regularize_bn = true");
  CHECK(groups[0].members == Names{"trunk.conv1.weight", "trunk.conv1.bias", "trunk.bn1.weight",
                                   "trunk.bn1.bias", "trunk.norm.weight"});
  CHECK(groups[1].members.empty());
  groups = groups_of("regularize_bn = true\nregularize_bias = false");
  CHECK(groups[0].members == Names{"trunk.conv1.weight", "trunk.bn1.weight", "trunk.norm.weight"});
  CHECK(groups[1].members == Names{"trunk.conv1.bias", "trunk.bn1.bias"});
  CHECK(groups[3].members == Names{"heads.0.clf.0.bias", "heads.0.clf.1.bias"});
}

TEST_CASE("param groups: named parameters lose their decay and keep their group of free ones") {
  const std::vector<Group> groups =
      groups_of("non_regularized_parameters = [\"pos_embed\", \"conv1\", \"bn1\"]");
  CHECK(groups[0].members.empty());
  CHECK(groups[1].members == Names{"trunk.bn1.weight", "trunk.bn1.bias", "trunk.norm.weight"});
  REQUIRE(groups.size() == 6);
  CHECK(groups[4].name == "remaining_unregularized");
  CHECK(groups[4].members == Names{"trunk.conv1.weight", "trunk.conv1.bias", "trunk.pos_embed"});
  CHECK(groups[4].hypers == Hypers{{"weight_decay", "0."}});
  CHECK(groups[5].members == Names{"trunk.gn.weight"});
}

TEST_CASE("param groups: heads may have a rate and a decay of their own") {
  const std::string toml =
      "head_optimizer_params = { use_different_lr = true, use_different_wd = true, weight_decay = "
      "0.5 }";
  std::vector<Group> groups = groups_of(toml);
  CHECK(groups[0].hypers == Hypers{{"weight_decay", "0.01"}});
  CHECK(groups[2].hypers == Hypers{{"lr", "schedule lr_head"}, {"weight_decay", "0.5"}});
  CHECK(groups[3].hypers == Hypers{{"lr", "schedule lr_head"}, {"weight_decay", "0."}});
  groups = groups_of(toml,
                     "weight_decay = 0.01\nparam_schedulers = { weight_decay = { name = \"x\" }, "
                     "weight_decay_head = { name = \"x\" } }");
  CHECK(groups[0].hypers == Hypers{{"weight_decay", "schedule weight_decay"}});
  CHECK(groups[1].hypers == Hypers{{"weight_decay", "0."}});
  CHECK(groups[2].hypers ==
        Hypers{{"lr", "schedule lr_head"}, {"weight_decay", "schedule weight_decay_head"}});
}

TEST_CASE("param groups: one group holds every trainable parameter") {
  const std::vector<Group> groups = groups_of("construct_single_param_group_only = true");
  REQUIRE(groups.size() == 1);
  CHECK(groups[0].members.size() == kModel.size() - 1);
  CHECK(groups[0].hypers == Hypers{{"weight_decay", "0.01"}});
}

TEST_CASE("param groups: an unknown key of head_optimizer_params is refused with the known ones") {
  std::string text;
  try {
    groups_of("head_optimizer_params = { use_different_values = true }");
  } catch (const vissl::Failure& failure) {
    text = failure.what();
  }
  CHECK(text.find("unknown key 'use_different_values' in head_optimizer_params; it has "
                  "use_different_lr, use_different_wd and weight_decay") != std::string::npos);
}
