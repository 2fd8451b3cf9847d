#include <doctest/doctest.h>

#include <vissl/test.hpp>

#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>

using namespace vissl;

namespace {

const char* const kNames[] = {"constant", "linear", "cosine", "step", "multistep", "composite"};

struct Loaded {
  test::Host host;
  Loaded() {
    for (const std::string name : kNames) host.load(VISSL_PLUGIN_DIR "/" + name + ".so");
  }
  test::Schedule create(const std::string& name, const std::string& toml) const {
    return host.component("lr_schedule", name).create(toml);
  }
  std::string refused(const std::string& name, const std::string& toml,
                      std::int64_t epochs = 90) const {
    try {
      create(name, toml).value(0.0, 0, epochs);
    } catch (const Failure& failure) {
      CHECK(failure.status() == VISSL_E_CONFIG);
      return failure.what();
    }
    return "";
  }
};

// A block of tests/golden/lr_schedules.txt.
struct Case {
  std::string name, toml;
  std::int64_t epochs = 0;
  bool rescaled = false;
  double factor = 0, ramp_from = 0;
  std::vector<std::pair<double, double>> values;
};

double number(std::istream& in) {
  std::string word;
  in >> word;
  return std::strtod(word.c_str(), nullptr);
}

std::vector<Case> golden() {
  std::ifstream file(VISSL_SOURCE_DIR "/tests/golden/lr_schedules.txt");
  REQUIRE(file.is_open());
  std::vector<Case> cases;
  for (std::string line; std::getline(file, line);) {
    std::istringstream in(line);
    std::string what;
    in >> what;
    if (what == "case") in >> cases.emplace_back().name;
    if (what == "epochs") in >> cases.back().epochs;
    if (what == "toml") cases.back().toml += line.substr(5) + "\n";
    if (what == "rescale") {
      cases.back().rescaled = true;
      cases.back().factor = number(in);
      cases.back().ramp_from = number(in);
    }
    if (what == "at") {
      const double where = number(in);
      cases.back().values.emplace_back(where, number(in));
    }
  }
  return cases;
}

TEST_CASE("schedules: values equal fvcore's formulas and VISSL's scaling") {
  const Loaded plugins;
  const std::vector<Case> cases = golden();
  REQUIRE(cases.size() >= 20);
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CAPTURE(c.toml);
    const test::Schedule schedule = plugins.create(c.name, c.toml);
    if (c.rescaled) schedule.rescale(c.factor, c.ramp_from);
    REQUIRE(c.values.size() > 40);
    for (const auto& [where, value] : c.values) {
      CAPTURE(where);
      const double met = schedule.value(where, 0, c.epochs);
      CHECK(std::abs(met - value) <= 1e-14 * std::max(1.0, std::abs(value)));
    }
  }
}

TEST_CASE("schedules: every one says when it is evaluated and how it is scaled") {
  const Loaded plugins;
  for (const std::string name : kNames) {
    CAPTURE(name);
    const test::Component& component = plugins.host.component("lr_schedule", name);
    const bool by_epoch = name == "constant" || name == "step" || name == "multistep";
    const test::DeclaredParam* interval = component.declared.find("update_interval");
    REQUIRE(interval != nullptr);
    CHECK(interval->default_toml == (by_epoch ? "\"epoch\"" : "\"step\""));
    const test::DeclaredParam* scaling = component.declared.find("auto_lr_scaling");
    REQUIRE(scaling != nullptr);
    CHECK(scaling->default_toml ==
          "{ auto_scale = false, base_value = 0.1, base_lr_batch_size = 256, scaling_type = "
          "\"linear\" }");
    for (const test::DeclaredParam& param : component.declared.params) {
      CHECK(param.doc.back() == '.');
    }
  }
}

TEST_CASE("schedules: wrong stages and lengths are refused with both numbers") {
  const Loaded plugins;
  CHECK(plugins.refused("multistep", "milestones = [30]") ==
        "'values' has 3 numbers, which need 2 milestones, not 1");
  CHECK(plugins.refused("multistep", "milestones = [60, 30]") ==
        "'milestones' must rise; 30 comes after 60");
  CHECK(plugins.refused("multistep", "milestones = [30, 60]", 60) ==
        "the milestone 60 is not inside the run of 60 epochs");
  CHECK(plugins.refused("multistep", "", 2) == "multistep has 3 values, but the run only 2 epochs");
  CHECK(plugins.refused("multistep", "values = []") ==
        "'values' of multistep needs at least one number");
  CHECK(plugins.refused("step", "values = []") == "'values' of step needs at least one number");
  const std::string two = "schedulers = [{ name = \"linear\" }, { name = \"cosine\" }]\n";
  CHECK(plugins.refused("composite", two + "lengths = [1.0]") ==
        "'lengths' and 'interval_scaling' need one entry for each of the 2 schedulers, not 1 and "
        "0; interval_scaling may be empty");
  CHECK(plugins.refused("composite", two + "lengths = [0.5, 0.4]") ==
        "'lengths' must add up to 1, not to 0.9");
  CHECK(
      plugins.refused("composite", two + "lengths = [0.5, 0.5]\ninterval_scaling = [\"other\"]") ==
      "test.toml:3:21: 'interval_scaling' must not be 'other'");
  CHECK(
      plugins.refused("composite",
                      "schedulers = [{ name = \"linear\", auto_lr_scaling = { auto_scale = true } "
                      "}]\nlengths = [1.0]") ==
      "test.toml:1:15: a schedule inside a composite is scaled with it; move auto_lr_scaling to "
      "the composite");
  CHECK_THROWS_WITH_AS(plugins.create("constant", "").value(1.0),
                       "a schedule is evaluated at 1.000000, after the end", Failure);
  CHECK_THROWS_WITH_AS(plugins.create("cosine", "start_value = 0").rescale(2.0),
                       "auto_lr_scaling needs a cosine whose start_value is not 0", Failure);
}

TEST_CASE("composite: without a warm-up the others share the run in proportion to their lengths") {
  const Loaded plugins;
  const test::Schedule schedule =
      plugins.create("composite",
                     "schedulers = [{ name = \"linear\" }, { name = \"constant\" }, { name = "
                     "\"cosine\", start_value = 0.1 }]\n"
                     "lengths = [0.2, 0.2, 0.6]\nauto_lr_scaling = { base_value = 1.0 }");
  schedule.rescale(2.0);
  CHECK(schedule.value(0.2) == doctest::Approx(2.0));
  CHECK(schedule.value(0.25) == doctest::Approx(2.0));
  CHECK(schedule.value(0.625) == doctest::Approx(1.0));
}

}  // namespace
