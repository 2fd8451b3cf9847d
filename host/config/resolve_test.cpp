#include "host/config/resolve.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

#include "host/config/path.hpp"
#include "host/config/test_configs.hpp"
#include "host/config/toml_read.hpp"
#include "host/config/toml_text.hpp"
#include "host/files/error.hpp"

using namespace vissl::host;

namespace {

std::string error_of(TestConfigs& configs, const std::vector<std::string>& files,
                     const std::vector<std::string>& settings = {}) {
  try {
    configs.resolve(files, settings);
  } catch (const Error& error) {
    CHECK(error.code() == Exit::usage);
    return configs.plain(error.what());
  }
  return "no error";
}

std::string shown(const ResolvedConfig& config, const std::string& path) {
  const Value* value = find_path(*config.root, path);
  return value != nullptr ? inline_toml(*value) : "absent";
}
std::string origin(const ResolvedConfig& config, const std::string& path) {
  return find_path(*config.root, path)->origin().where();
}

}  // namespace

TEST_CASE("resolve: every default is in place and knows that it is one") {
  TestConfigs configs;
  const ResolvedConfig config = configs.resolve({configs.write("exp.toml", kGoodConfig)});
  CHECK(shown(config, "log_frequency") == "10");
  CHECK(origin(config, "log_frequency") == "default");
  CHECK(shown(config, "engine.name") == "\"train\"");
  CHECK(shown(config, "data.train.sampler") == "{ name = \"distributed\", shuffle = true }");
  CHECK(shown(config, "data.train.data_sources[0].seed") == "0");
  CHECK(shown(config, "optimizer.param_groups.name") == "\"default\"");
  CHECK(shown(config, "optimizer.param_schedulers.lr.auto_lr_scaling.base_lr_batch_size") == "256");
  CHECK(shown(config, "checkpoint.dir") == "\"runs/exp\"");
  CHECK(configs.plain(origin(config, "loss.temperature")) == "exp.toml:16:15");
  CHECK(shown(config, "data.test") == "absent");
  CHECK(shown(config, "model.weights_init") == "absent");
}

TEST_CASE("resolve: an integer where a number is declared becomes a number") {
  TestConfigs configs;
  const ResolvedConfig config = configs.resolve({configs.write("exp.toml", kGoodConfig)});
  CHECK(shown(config, "optimizer.param_schedulers.lr.start_value") == "1.0");
}

TEST_CASE("resolve: the printed config reads back as the same config") {
  TestConfigs configs;
  const ResolvedConfig config = configs.resolve({configs.write("exp.toml", kGoodConfig)});
  const std::string printed = toml_document(*config.root);
  const ResolvedConfig again = configs.resolve({configs.write("again.toml", printed)});
  CHECK(same(*config.root, *again.root));
  CHECK(toml_document(*again.root) == printed);
}

TEST_CASE("layers: extends, several files and settings win in that order") {
  TestConfigs configs;
  configs.write("base/a.toml",
                kGoodConfig + "[checkpoint]\nkeep = 2\nfrequency = 2\niter_frequency = 2\n");
  const std::string exp = configs.write(
      "exp.toml", "extends = [\"base/a.toml\"]\n[checkpoint]\nfrequency = 3\niter_frequency = 3\n");
  const std::string more = configs.write("more.toml", "[checkpoint]\niter_frequency = 4\n");
  const ResolvedConfig config = configs.resolve({exp, more}, {"checkpoint.resume_file_num=5"});
  CHECK(shown(config, "checkpoint.keep") == "2");
  CHECK(shown(config, "checkpoint.frequency") == "3");
  CHECK(shown(config, "checkpoint.iter_frequency") == "4");
  CHECK(shown(config, "checkpoint.resume_file_num") == "5");
  CHECK(configs.plain(origin(config, "checkpoint.keep")) == "base/a.toml:25:8");
  CHECK(origin(config, "checkpoint.resume_file_num") == "command line");
  CHECK(shown(config, "checkpoint.dir") == "\"runs/more\"");
  CHECK(shown(config, "extends") == "absent");
}

TEST_CASE("layers: arrays replace, and a new component name replaces the whole table with a note") {
  TestConfigs configs;
  configs.write("base.toml", kGoodConfig);
  const std::string exp = configs.write("exp.toml",
                                        "extends = \"base.toml\"\n[data.train]\ntransforms = [{ "
                                        "name = \"RandomResizedCrop\", size = 8 }]\n"
                                        "[loss]\nname = \"cross_entropy\"\n");
  const ResolvedConfig config = configs.resolve({exp});
  CHECK(find_path(*config.root, "data.train.transforms")->items().size() == 1);
  CHECK(shown(config, "loss.temperature") == "absent");
  REQUIRE(config.notes.size() == 1);
  CHECK(configs.plain(config.notes[0]) ==
        "loss: 'cross_entropy' (exp.toml:5:8) replaces 'simclr_info_nce_loss' (base.toml:15:8) and "
        "all its parameters");
}

TEST_CASE("layers: a circle of extends and a missing base are refused with their place") {
  TestConfigs configs;
  const std::string a = configs.write("a.toml", "extends = \"b.toml\"\n");
  configs.write("b.toml", "extends = [\"a.toml\"]\n");
  CHECK(error_of(configs, {a}) ==
        "b.toml:1:12: extends makes a circle: a.toml -> b.toml -> a.toml");
  const std::string lost = configs.write("lost.toml", "extends = \"gone.toml\"\n");
  CHECK(error_of(configs, {lost}) ==
        "lost.toml:1:11: cannot read the config file 'gone.toml': No such file or directory");
  // The same base by two ways is no circle.
  configs.write("good.toml", kGoodConfig);
  configs.write("left.toml", "extends = \"good.toml\"\n");
  configs.write("right.toml", "extends = \"good.toml\"\n");
  CHECK(error_of(configs,
                 {configs.write("both.toml", "extends = [\"left.toml\", \"right.toml\"]\n")}) ==
        "no error");
}

TEST_CASE("settings: the text is read by the declared type") {
  TestConfigs configs;
  const ResolvedConfig config = configs.resolve(
      {configs.write("exp.toml", kGoodConfig)},
      {"loss.temperature=2", "optimizer.nesterov=true", "data.train.label_type=zero",
       "checkpoint.dir=/tmp/123", "data.train.input_key_names=[data, mask]",
       "+optimizer.num_epochs=7", "data.num_workers=auto", "data.train.transforms[1].size=96",
       "data.train.transforms[Normalize].indices=[1]", "model.heads[0][1].dims=[8,4]",
       "data.train.data_limit={count=32,seed=3}"});
  CHECK(shown(config, "loss.temperature") == "2.0");
  CHECK(shown(config, "optimizer.nesterov") == "true");
  CHECK(shown(config, "data.train.label_type") == "\"zero\"");
  CHECK(shown(config, "checkpoint.dir") == "\"/tmp/123\"");
  CHECK(shown(config, "data.train.input_key_names") == "[\"data\", \"mask\"]");
  CHECK(shown(config, "optimizer.num_epochs") == "7");
  CHECK(shown(config, "data.num_workers") == "\"auto\"");
  CHECK(shown(config, "data.train.transforms[1].size") == "96");
  CHECK(shown(config, "data.train.transforms[2].indices") == "[1]");
  CHECK(shown(config, "model.heads[0][1].dims") == "[8, 4]");
  CHECK(shown(config, "data.train.data_limit.count") == "32");
}

TEST_CASE(
    "settings: a name without quotes that looks like a number stays a string where one is "
    "declared") {
  TestConfigs configs;
  const ResolvedConfig config =
      configs.resolve({configs.write("exp.toml", kGoodConfig)}, {"checkpoint.dir=123"});
  CHECK(shown(config, "checkpoint.dir") == "\"123\"");
}

TEST_CASE(
    "settings: another component name replaces the table, and its parameters can be set in the "
    "next setting") {
  TestConfigs configs;
  const ResolvedConfig config = configs.resolve({configs.write("exp.toml", kGoodConfig)},
                                                {"loss.name=cross_entropy", "loss.reduction=sum",
                                                 "data.train.collator.name=default_collate"});
  CHECK(shown(config, "loss") ==
        "{ name = \"cross_entropy\", reduction = \"sum\", ignore_index = -1 }");
  CHECK(config.notes.size() == 2);
}

TEST_CASE(
    "infer: values flow from head to loss, by path and function, and say where they come from") {
  TestConfigs configs;
  std::string text = kGoodConfig;
  const auto replace = [&](const std::string& from, const std::string& to) {
    text.replace(text.find(from), from.size(), to);
  };
  replace("name = \"simclr_info_nce_loss\"", "name = \"swav_loss\"");
  replace(
      "[[{ name = \"mlp\", dims = [512, 512], use_relu = true }, { name = \"mlp\", dims = [512, "
      "128] }]]",
      "[{ name = \"swav_head\", dims = [512, 64], num_clusters = [30, 40] }]");
  replace("{ name = \"ImgReplicatePil\", num_times = 2 }",
          "{ name = \"ImgPilToMultiCrop\", total_num_crops = 8, num_crops = [2, 6] }");
  replace("collator = { name = \"simclr_collator\" }\n", "");
  const ResolvedConfig config = configs.resolve({configs.write("exp.toml", text)});
  CHECK(shown(config, "loss.num_prototypes") == "[30, 40]");
  CHECK(origin(config, "loss.num_prototypes") ==
        "inferred by loss 'swav_loss' from model.heads[0].num_clusters");
  CHECK(shown(config, "loss.embedding_dim") == "64");
  CHECK(shown(config, "loss.num_crops") == "8");
  CHECK(shown(config, "loss.output_dir") == "\"runs/exp\"");
  CHECK(shown(config, "data.train.collator.name") == "\"multicrop_collator\"");
  CHECK(origin(config, "data.train.collator.name") == "inferred by loss 'swav_loss'");
  // The user's word counts.
  const ResolvedConfig kept =
      configs.resolve({configs.write("exp.toml", text)},
                      {"loss.num_crops=3", "data.train.collator.name=default_collate"});
  CHECK(shown(kept, "loss.num_crops") == "3");
  CHECK(shown(kept, "data.train.collator.name") == "\"default_collate\"");
  CHECK(error_of(configs, {configs.write("exp.toml", text)}, {"loss.num_prototypes=[5]"}) ==
        "command line: 'num_prototypes' in [loss] (swav_loss) is [5], but "
        "model.heads[0].num_clusters (exp.toml:12:65) makes it [30, 40]; "
        "remove one of the two");
}

TEST_CASE("infer: defaults of all heads come from model.head_defaults, unless a head has its own") {
  TestConfigs configs;
  const ResolvedConfig config = configs.resolve(
      {configs.write("exp.toml", kGoodConfig)},
      {"model.head_defaults.batchnorm_eps=0.25", "model.heads[0][1].batchnorm_eps=0.5"});
  CHECK(shown(config, "model.heads[0][0].batchnorm_eps") == "0.25");
  CHECK(shown(config, "model.heads[0][1].batchnorm_eps") == "0.5");
}

TEST_CASE("paths: a relative path parameter is resolved against the file that names it") {
  TestConfigs configs;
  configs.write(
      "sub/data.toml",
      "[data.train]\ndata_sources = [{ name = \"disk_folder\", path = \"images/train\" }]\n");
  configs.write("good.toml", kGoodConfig);
  const std::string exp =
      configs.write("exp.toml", "extends = [\"good.toml\", \"sub/data.toml\"]\n");
  const ResolvedConfig config = configs.resolve({exp});
  CHECK(find_path(*config.root, "data.train.data_sources[0].path")->as_text() ==
        configs.path("sub/images/train"));
  const ResolvedConfig url =
      configs.resolve({exp}, {"data.train.data_sources[0].path=s3://bucket/x"});
  CHECK(shown(url, "data.train.data_sources[0].path") == "\"s3://bucket/x\"");
}

TEST_CASE("paths: locators stay as they are unless there is such a file, ~ is the home folder") {
  TestConfigs configs;
  configs.write("good.toml", kGoodConfig);
  const std::string exp =
      configs.write("exp.toml",
                    "extends = [\"good.toml\"]\n[data.train]\n"
                    "data_sources = [{ name = \"disk_folder\", path = \"hf-hub:org/name\" }]\n");
  const auto path = [&](const std::vector<std::string>& changes) {
    return find_path(*configs.resolve({exp}, changes).root, "data.train.data_sources[0].path")
        ->as_text();
  };
  CHECK(path({}) == "hf-hub:org/name");
  configs.write("hf-hub:org/name", "a file of that name");
  CHECK(path({}) == configs.path("hf-hub:org/name"));
  ::setenv("HOME", "/home/me", 1);
  CHECK(path({"data.train.data_sources[0].path=~/images"}) == "/home/me/images");
}

TEST_CASE("resolve: a deprecated key warns and works") {
  TestConfigs configs;
  const ResolvedConfig config = configs.resolve({configs.write("exp.toml", kGoodConfig)},
                                                {"data.train.data_sources[0].size=8"});
  REQUIRE(config.warnings.size() == 1);
  CHECK(config.warnings[0] ==
        "command line: 'size' in data.train.data_sources[0] (synthetic) is deprecated: Use "
        "num_samples.");
}

TEST_CASE("resolve: nested components are checked like others") {
  TestConfigs configs;
  std::string text = kGoodConfig;
  const std::string old = R"({ name = "ImgReplicatePil", num_times = 2 })";
  text.replace(
      text.find(old), old.size(),
      R"({ name = "RandomApply", transforms = [{ name = "RandomResizedCrop", size = 3 }] })");
  const ResolvedConfig config = configs.resolve({configs.write("exp.toml", text)});
  CHECK(shown(config, "data.train.transforms[0].transforms[0].scale") == "[0.08, 1.0]");
}

TEST_CASE("paths: what is no path is refused, and text and steps agree") {
  for (const char* good :
       {"a", "a.b", "a[1]", "a[*].b", "data.train.transforms[Resize].size", "a[0][1].c"})
    CHECK(path_text(parse_path(good)) == good);
  const std::vector<std::pair<std::string, std::string>> reasons = {
      {"", "it is empty"},
      {".", "a key is missing before '.'"},
      {"a.", "a key is missing at its end"},
      {".a", "a key is missing before '.'"},
      {"a..b", "a key is missing before '.'"},
      {"[1]", "a key is missing before '['"},
      {"a[", "a ']' is missing"},
      {"a[]", "the brackets are empty"},
      {"a[1]b", "a '.' is missing after ']'"},
      {"a.[1]", "a key is missing before '['"},
      {"a b", "'a b' is no key"},
      {"a=b", "'a=b' is no key"}};
  for (const auto& [bad, reason] : reasons) {
    const std::string wanted = "'" + bad + "' is no path into a config: " + reason;
    CHECK_THROWS_WITH_AS(parse_path(bad), wanted.c_str(), Error);
  }
}
