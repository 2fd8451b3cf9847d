#include "host/cli/complete.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include "temp_folder.hpp"

using namespace vissl::host;

namespace {

const std::string kPlugins = std::string(VISSL_TEST_PLUGIN_DIR) + "/fixture";

Completions answer(const std::vector<std::string>& words) {
  const Terminal plain(Terminal::facts(STDOUT_FILENO), ColorMode::never);
  const Options options;
  const std::vector<std::string> arguments;
  LogSettings settings;
  settings.level = LogLevel::error;
  ConsoleLogger log(plain, settings);
  return complete(words, {options, arguments, plain, log});
}

std::vector<std::string> texts(const std::vector<std::string>& words) {
  std::vector<std::string> out;
  for (const Completion& word : answer(words).words) out.push_back(word.text);
  return out;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("complete: commands, their second words, their operands") {
  CHECK(texts({"des"}) == Texts{"describe"});
  CHECK(texts({"show", "b"}) == Texts{"batch"});
  CHECK(texts({"new-plugin", "tra"}) == Texts{"transform"});
  CHECK(texts({"new-plugin", "loss", ""}).empty());
  CHECK(texts({"completion", "z"}) == Texts{"zsh"});
  CHECK(texts({"--plugins", kPlugins, "describe", "loss/sw"}) == Texts{"loss/swav_loss"});
}

TEST_CASE("complete: options of the command, and their values") {
  CHECK(texts({"list", "--j"}) == Texts{"--json"});
  CHECK(texts({"show", "batch", "--points"}).empty());
  CHECK(texts({"list", "--color", "al"}) == Texts{"always"});
  CHECK(texts({"list", "--color=al"}) == Texts{"--color=always"});
  CHECK(texts({"convert", "a.pth", "b.pth", "--to", "t"}) == Texts{"torchvision", "timm", "torch"});
  CHECK(texts({"convert", "a.pth", "b.pth", "--from=t"}) ==
        Texts{"--from=torchvision", "--from=timm"});
  CHECK(answer({"--config", "x"}).files);
  CHECK_FALSE(answer({"list", "--color", ""}).files);
}

TEST_CASE("complete: keys of the config, one level at a time") {
  const std::string config = std::string(VISSL_SOURCE_DIR) + "/tests/configs_bad/base/good.toml";
  const Texts begin = {"--plugins", kPlugins, "--config", config};
  const auto keys = [&](const std::string& word) {
    Texts words = begin;
    words.push_back(word);
    return texts(words);
  };
  CHECK(keys("optimizer.num_e") == Texts{"optimizer.num_epochs="});
  CHECK(keys("machi") == Texts{"machine."});
  CHECK(keys("test_only=t") == Texts{"test_only=true"});
  CHECK(keys("no_such.x").empty());
  Texts words = begin;
  words.push_back("optimizer.");
  CHECK(answer(words).no_space);
}

TEST_CASE("complete: a config that is wrong gives no keys") {
  const vissl::test::TempFolder folder;
  const std::string config = (folder / "x.toml").string();
  vissl::test::write_file(config, "seed_valu = 1\n");
  CHECK(texts({"--plugins", kPlugins, "--config", config, "seed"}).empty());
}
