#include "host/config/value.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "host/config/toml_read.hpp"
#include "host/config/toml_text.hpp"
#include "host/files/error.hpp"

using namespace vissl::host;

namespace {

vissl_str str(const char* text) {
  return {text, std::char_traits<char>::length(text)};
}
std::string text(vissl_str s) {
  return std::string(s.data, s.size);
}

std::string error_of(const std::string& document) {
  try {
    parse_toml(document, "exp.toml");
  } catch (const Error& error) {
    CHECK(error.code() == Exit::usage);
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("value: plugins read types, contents and places of a config through the table") {
  const Value root = parse_toml(
      "seed = 7\n[loss]\nname = \"simclr\"\n  temperature = 0.5\nlist = [1, 2.5]\non = true\n",
      "exp.toml");
  const vissl_value_api& api = value_api();
  CHECK(api.size == sizeof(vissl_value_api));
  CHECK(api.type(&root) == VISSL_VALUE_TABLE);
  CHECK(api.count(&root) == 2);
  CHECK(text(api.key_at(&root, 0)) == "seed");
  CHECK(api.as_int(api.at(&root, 0)) == 7);
  CHECK(api.as_number(api.at(&root, 0)) == 7.0);
  const vissl_value* loss = api.find(&root, str("loss"));
  REQUIRE(loss != nullptr);
  CHECK(text(api.as_string(api.find(loss, str("name")))) == "simclr");
  CHECK(api.as_number(api.find(loss, str("temperature"))) == 0.5);
  CHECK(text(api.where(api.find(loss, str("temperature")))) == "exp.toml:4:17");
  const vissl_value* list = api.find(loss, str("list"));
  CHECK(api.type(list) == VISSL_VALUE_LIST);
  CHECK(api.as_number(api.at(list, 1)) == 2.5);
  CHECK(api.as_bool(api.find(loss, str("on"))) == 1);
}

TEST_CASE("value: asking for another type, a missing key or past the end gives nothing") {
  const Value root = parse_toml("a = \"x\"\n", "exp.toml");
  const vissl_value_api& api = value_api();
  CHECK(api.as_int(api.at(&root, 0)) == 0);
  CHECK(api.as_bool(api.at(&root, 0)) == 0);
  CHECK(api.at(&root, 1) == nullptr);
  CHECK(api.find(&root, str("b")) == nullptr);
  CHECK(api.find(api.at(&root, 0), str("b")) == nullptr);
  CHECK(api.type(nullptr) == VISSL_VALUE_NONE);
  CHECK(api.key_at(&root, 5).size == 0);
}

TEST_CASE("value: keys keep the order of the file") {
  const Value root = parse_toml("zeta = 1\nalpha = 2\n[m.y]\nk = 1\n[m.x]\nk = 2\n", "exp.toml");
  CHECK(root.entries()[0].key == "zeta");
  CHECK(root.entries()[1].key == "alpha");
  CHECK(root.find("m")->entries()[0].key == "y");
}

TEST_CASE("toml: a syntax error names file, line and column") {
  CHECK(error_of("a = 1\nb = = 2\n").starts_with("exp.toml:2:5: "));
  CHECK(error_of("a = 1\na = 2\n").starts_with("exp.toml:2:"));
  CHECK(error_of("d = 1979-05-27\n") ==
        "exp.toml:1:5: dates and times are no configuration values; write it as a \"string\"");
}

TEST_CASE("toml: printed text reads back as an equal tree") {
  const std::string document =
      "a = 1\nb = 0.1\nbig = 1e300\nwhole = 5.0\nneg = -inf\ns = \"tab\\t quote\\\" \\\\ \\u0001 "
      "é\"\n"
      "empty = []\n\"odd key\" = true\n"
      "transforms = [{ name = \"Resize\", size = 256, extra = { deep = [1, 2] } }, { name = "
      "\"RandomResizedCrop\", scale = [0.08, 1.0] }]\n"
      "heads = [[{ name = \"mlp\", dims = [2048, 2048], use_relu = true, skip_last_layer_relu_bn = "
      "false }, { name = \"mlp\", dims = [2048, 128] }]]\n"
      "[t]\n[t.inner]\nx = 1\n[nothing]\n";
  const Value root = parse_toml(document, "exp.toml");
  const std::string printed = toml_document(root);
  CHECK(same(root, parse_toml(printed, "again.toml")));
  CHECK(toml_document(parse_toml(printed, "again.toml")) == printed);
}

TEST_CASE("toml: every finite number survives printing") {
  for (const double x : {0.1, 1.0 / 3.0, 1e-5, 2.5e-308, 4.9e-324, 1.7976931348623157e308, -0.0,
                         123456789012345680.0}) {
    const Value back = parse_toml_value(inline_toml(Value::number(x)));
    CHECK(back.is(Value::Type::number));
    CHECK(back.as_number() == x);
    CHECK(std::signbit(back.as_number()) == std::signbit(x));
  }
}

TEST_CASE("toml: a single value cannot smuggle in further keys") {
  CHECK_THROWS_WITH_AS(parse_toml_value("1\nother = 2"),
                       "the value '1\nother = 2' has more than one line", Error);
  for (const char* bad : {"", "word", "1 other = 2"}) {
    const doctest::Contains said(("'" + std::string(bad) + "' is no TOML value: ").c_str());
    CHECK_THROWS_WITH_AS(parse_toml_value(bad), said, Error);
  }
  CHECK(parse_toml_value("[1, 2]", Origin::at_command_line()).items()[1].origin().where() ==
        "command line");
}

TEST_CASE("value: equality ignores order and origin but not types") {
  const Value a = parse_toml("x = 1\ny = [1, { z = 2 }]\n", "a.toml");
  CHECK(same(a, parse_toml("y = [1, { z = 2 }]\nx = 1\n", "b.toml")));
  CHECK_FALSE(same(a, parse_toml("x = 1.0\ny = [1, { z = 2 }]\n", "b.toml")));
  CHECK_FALSE(same(a, parse_toml("x = 1\ny = [1, { z = 3 }]\n", "b.toml")));
  CHECK_FALSE(same(a, parse_toml("x = 1\n", "b.toml")));
}

TEST_CASE("config: a missing file is named with its reason") {
  try {
    read_toml_file("/nonexistent/exp.toml", "exp.toml");
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(std::string(error.what()) ==
          "cannot read the config file 'exp.toml': No such file or directory");
  }
}

TEST_CASE("config: a folder is no config file") {
  CHECK_THROWS_WITH(read_toml_file("/tmp", "tmp"),
                    "cannot read the config file 'tmp': it is a folder");
}

TEST_CASE("a plugin's own tree: parsed from TOML, wrong text is refused with its place") {
  const vissl_value* tree = nullptr;
  const auto parse = [&](std::string_view text, vissl_err* err) {
    return value_api().parse({text.data(), text.size()}, &tree, err);
  };
  REQUIRE(parse("[trunk]\ndrop_path_rate = 0.25\n", nullptr) == VISSL_OK);
  const vissl_value* trunk = value_api().find(tree, {"trunk", 5});
  CHECK(value_api().as_number(value_api().find(trunk, {"drop_path_rate", 14})) == 0.25);
  std::string text;
  vissl_err err{sizeof(vissl_err), &text, [](vissl_err* self, vissl_status, vissl_str said) {
                  static_cast<std::string*>(self->self)->assign(said.data, said.size);
                }};
  CHECK(parse("trunk = ", &err) == VISSL_E_PLUGIN);
  CHECK(text.find("a plugin's text:1:") != std::string::npos);
}
