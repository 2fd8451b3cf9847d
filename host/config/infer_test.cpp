#include "host/config/infer.hpp"

#include <doctest/doctest.h>

#include <map>

#include "host/config/resolve.hpp"
#include "host/config/suggest.hpp"
#include "host/config/test_configs.hpp"
#include "host/config/toml_read.hpp"
#include "host/config/toml_text.hpp"

using namespace vissl::host;

namespace {

std::string value_of(const std::string& expression) {
  static const Value root = parse_toml(
      "a = 3\nx = 0.5\nlist = [2, 3, 4]\n[[items]]\nname = \"one\"\n[[items]]\nname = "
      "\"two\"\ncount = 7\n[model]\nheads = [[{ name = \"h\" }, { name = "
      "\"h\", dims = [8, 16] }]]\n",
      "exp.toml");
  return inline_toml(evaluate(root, expression, "loss 'x'"));
}

// Declarations without plugins.
class FakeIndex final : public DeclarationIndex {
 public:
  Declaration& add(const std::string& kind, const std::string& name) {
    Declaration& declaration = declarations_[{kind, name}];
    declaration.kind = kind;
    declaration.name = name;
    return declaration;
  }
  const Declaration* find(std::string_view kind, std::string_view name,
                          const std::string&) override {
    const auto found = declarations_.find({std::string(kind), std::string(name)});
    return found != declarations_.end() ? &found->second : nullptr;
  }
  std::vector<std::string> names(std::string_view) const override { return {}; }
  std::string searched() const override { return "nowhere"; }

 private:
  std::map<std::pair<std::string, std::string>, Declaration> declarations_;
};

struct Fake {
  Fake() {
    for (const auto& [kind, name] :
         {std::pair{"engine", "train"}, std::pair{"loss", "l"}, std::pair{"trunk", "t"}})
      index.add(kind, name);
  }
  ResolvedConfig resolve(const std::string& text) {
    TestConfigs configs;
    return resolve_config({configs.write("exp.toml", text)}, {}, index);
  }
  std::string error_of(const std::string& text) {
    TestConfigs configs;
    try {
      resolve_config({configs.write("exp.toml", text)}, {}, index);
    } catch (const Error& error) {
      CHECK(error.code() == Exit::usage);
      return configs.plain(error.what());
    }
    return "no error";
  }
  FakeIndex index;
};

const std::string kBoth = "[loss]\nname = \"l\"\n[model]\ntrunk = { name = \"t\" }\n";

}  // namespace

TEST_CASE("infer: expressions read paths, lists and numbers") {
  CHECK(value_of("a") == "3");
  CHECK(value_of("len(list)") == "3");
  CHECK(value_of("last(list)") == "4");
  CHECK(value_of("sum(list)") == "9");
  CHECK(value_of("product(a, list[1])") == "9");
  CHECK(value_of("product(a, x)") == "1.5");
  CHECK(value_of("items[*].count") == "7");
  CHECK(value_of("items[two].count") == "7");
  CHECK(value_of("last(model.heads[0].dims)") == "16");
  CHECK(value_of("absent.key") == "");
  CHECK(value_of("len(a)") == "");
}

TEST_CASE("infer: an expression that is none is the plugin's fault") {
  const std::map<std::string, std::string> reasons = {
      {"len(list", "a ')' is missing"},
      {"median(list)", "there is no function 'median'"},
      {"product(a)", "wrong number of arguments"},
      {"len(a, a)", "wrong number of arguments"},
      {"a..b", "'a..b' is no path into a config: a key is missing before '.'"}};
  for (const auto& [bad, reason] : reasons) {
    try {
      value_of(bad);
      FAIL("accepted: ", bad);
    } catch (const Error& error) {
      CHECK(error.code() == Exit::bad_plugin);
      CHECK(std::string(error.what()) == "loss 'x' derives a parameter from '" + bad +
                                             "': " + reason + "; report it to the plugin's author");
    }
  }
}

TEST_CASE("infer: two components that want different values are told both places") {
  Fake fake;
  fake.index.add("loss", "l").implications.push_back({"log_frequency", Value::integer(5)});
  fake.index.add("trunk", "t").implications.push_back({"log_frequency", Value::integer(7)});
  CHECK(fake.error_of(kBoth) ==
        "exp.toml:4:18: trunk 't' sets log_frequency to 7, but loss 'l' (exp.toml:2:8) sets it to "
        "5; set it in the config");
  CHECK(fake.error_of("log_frequency = 6\n" + kBoth) == "no error");
}

TEST_CASE("infer: a chain of conclusions is followed to its end") {
  Fake fake;
  Param number;
  number.name = "n";
  number.type = VISSL_P_INT;
  number.fallback = Value::integer(0);
  Declaration& loss = fake.index.add("loss", "l");
  loss.params = {number};
  loss.derivations.push_back({"n", "model.trunk.n", false});
  Declaration& trunk = fake.index.add("trunk", "t");
  trunk.params = {number};
  trunk.derivations.push_back({"n", "checkpoint.keep", false});
  trunk.implications.push_back({"checkpoint.keep", Value::integer(4)});
  const ResolvedConfig config = fake.resolve(kBoth);
  CHECK(config.root->find("loss")->find("n")->as_int() == 4);
  CHECK(config.root->find("loss")->find("n")->origin().where() ==
        "inferred by loss 'l' from model.trunk.n");
}

TEST_CASE("infer: components that chase each other are stopped") {
  Fake fake;
  Param number;
  number.name = "n";
  number.type = VISSL_P_INT;
  number.fallback = Value::integer(1);
  Declaration& loss = fake.index.add("loss", "l");
  loss.params = {number};
  loss.derivations.push_back({"n", "product(model.trunk.n, checkpoint.keep)", false});
  Declaration& trunk = fake.index.add("trunk", "t");
  trunk.params = {number};
  trunk.derivations.push_back({"n", "loss.n", false});
  CHECK(fake.error_of("[checkpoint]\nkeep = 2\n" + kBoth)
            .starts_with("the components of this config change each other's settings without end"));
}

TEST_CASE("suggest: typing errors and abbreviations are near, other words are not") {
  const std::vector<std::string> known = {"temperature", "batchsize_per_replica",
                                          "simclr_info_nce_loss", "swav_loss"};
  CHECK(near_names("temprature", known) == std::vector<std::string>{"temperature"});
  CHECK(near_names("Temperature", known) == std::vector<std::string>{"temperature"});
  CHECK(near_names("batch_size", known) == std::vector<std::string>{"batchsize_per_replica"});
  CHECK(near_names("simclr_loss", known) == std::vector<std::string>{"simclr_info_nce_loss"});
  CHECK(near_names("queue", known).empty());
  CHECK(suggestion("queue", {"a", "b"}) == "; known: a, b");
  CHECK(suggestion("queue", {}).empty());
}
