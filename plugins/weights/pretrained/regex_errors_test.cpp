// Every sentence with which a rule is refused; Python's words for what Python refuses too
// (scripts/oracle/regex_errors.py).
#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "pretrained_test.hpp"

namespace {

using Json = nlohmann::ordered_json;

// What components with these rules say.
class Rules {
 public:
  Rules() { host_.load(VISSL_PLUGIN_DIR "/pretrained.so"); }

  std::string refusal(const std::string& pattern, const std::string& replacement = "") const {
    const std::string rule = "revise_keys = [['" + pattern + "', '" + replacement + "']]";
    try {
      host_.component("weights", "pretrained")
          .create("profile = \"mmcv\"\nfilename = \"a\"\n" + rule);
    } catch (const vissl::Failure& failure) {
      CHECK(failure.status() == VISSL_E_CONFIG);
      return failure.what();
    }
    return "no error";
  }

 private:
  vissl::test::Host host_;
};

Json golden(const char* part) {
  return Json::parse(std::ifstream(VISSL_SOURCE_DIR "/tests/golden/regex_errors.json")).at(part);
}

}  // namespace

TEST_CASE("rules: a pattern that Python refuses is refused in Python's words, at its place") {
  const Rules rules;
  const Json patterns = golden("patterns");
  CHECK(patterns.size() > 70);
  for (const auto& [pattern, words] : patterns.items())
    CHECK(rules.refusal(pattern) == "the rule '" + pattern + "': " + words.get<std::string>() +
                                        "; rules are regular expressions of Python");
}

TEST_CASE("rules: a replacement that Python refuses is refused in Python's words, at its place") {
  const Rules rules;
  const Json replacements = golden("replacements");
  CHECK(replacements.size() > 10);
  for (const auto& [text, words] : replacements.items())
    CHECK(rules.refusal("(a)", text) == "the replacement '" + text +
                                            "': " + words.get<std::string>() +
                                            "; replacements are those of Python's re.sub");
}

TEST_CASE("rules: what Python knows and this translation does not is told as that") {
  const Rules rules;
  CHECK(rules.refusal(R"(x\N{DIGIT ONE})") ==
        R"(the rule 'x\N{DIGIT ONE}' has a character by its name at position 1, which is not )"
        "supported; write the characters themselves");
  CHECK(rules.refusal("(?a)x") ==
        "the rule '(?a)x' has the flag 'a' at position 2, which is not supported; write the "
        "characters themselves");
  CHECK(rules.refusal("a", R"(b\0)") ==
        R"(the replacement 'b\0': the character \0, which no name has, at position 1; )"
        "replacements are those of Python's re.sub");
  CHECK(rules.refusal("a", R"(\200)")
            .find(R"(the character \200, which no name has, at position 0)") != std::string::npos);
}

TEST_CASE("rules: what the translation lets through and PCRE2 refuses is told with the rule") {
  const Rules rules;
  CHECK(rules.refusal("x[b-a]") ==
        "the rule 'x[b-a]': range out of order in character class at position 4; rules are regular "
        "expressions of Python");
  // A place in the translation is none in the rule.
  CHECK(rules.refusal("{x[b-a]") ==
        "the rule '{x[b-a]': range out of order in character class; rules are regular expressions "
        "of Python");
  CHECK(rules.refusal("(?<=a+)b")
            .find("the rule '(?<=a+)b': lookbehind assertion is not fixed length") == 0);
}

TEST_CASE("rules: groups that a replacement names are there, and rules and names have an end") {
  const Rules rules;
  CHECK(rules.refusal("(?P<n>a)(b)", R"(\g<n>\2)") == "no error");
  CHECK(rules.refusal("(a)", R"(x\2)") ==
        R"(the rule '(a)' has no group '2', which its replacement 'x\2' names)");
  CHECK(rules.refusal("(a)", R"(\g<b>)") ==
        R"(the rule '(a)' has no group 'b', which its replacement '\g<b>' names)");
  CHECK(rules.refusal(std::string(4097, 'a')) ==
        "a rule of 4097 characters is longer than 4096; make two of it");
}

TEST_CASE("rules: a name on which a rule has no end, and a name without end, are refused") {
  const auto planned = [](const std::string& rule, const std::string& name) {
    return error("profile = \"mmcv\"\nfilename = \"a\"\nrevise_keys = [['" + rule + "', '']]",
                 {{name, {1}}}, {{"trunk.a", {1}}});
  };
  const std::string many(64, 'a');
  CHECK(planned("(a|aa)+[bc]", many) ==
        "the rule '(a|aa)+[bc]' fails on the name '" + many + "': match limit exceeded");
  CHECK(planned("a", std::string(65537, 'a')) ==
        "a name of 65537 characters in the file is too long to be renamed");
}
