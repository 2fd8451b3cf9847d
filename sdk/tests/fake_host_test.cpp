// The fake host itself: configs, declarations, instances, state.
#include <doctest/doctest.h>

#include <vissl/components.hpp>
#include <vissl/state.hpp>
#include <vissl/test.hpp>

using namespace vissl;

namespace {

struct Ramp {
  double slope;
  std::string shape;
  std::vector<std::int64_t> steps;
  double factor = 1;
  std::int64_t calls = 0;

  static void params(Params& p) {
    p.vissl_prefix("OPTIMIZER.ramp");
    p.number("slope", 2.0, above(0.0).at_most(10), "Value at the end.");
    p.string("shape", "straight", one_of("straight", "round"), "Form of the line.");
    p.integers("steps", {}, at_least(0), "Marks.");
    p.integer("count", optional, "How many.");
    p.component("inner", "lr_schedule", optional, "Another schedule.");
    p.derive("count", "len(data.train)");
  }
  explicit Ramp(const Config& c)
      : slope(c.number("slope")), shape(c.string("shape")), steps(c.integers("steps")) {}
  double value(const ScheduleAt& at) const { return at.where * slope * factor; }
  void rescale(double by, double) { factor = by; }
  void save(Writer& out) const { out.put(slope); }
  void load(Reader& in, std::uint64_t) { in.get(slope); }
};

struct Twice {
  InnerSchedule inner;
  static void params(Params& p) { p.component("inner", "lr_schedule", required, "Doubled."); }
  explicit Twice(const Config& c) : inner(c.table("inner")) {}
  double value(const ScheduleAt& at) const { return 2 * inner.value(at); }
};

std::string refused(const test::HostCore& host, const char* toml) {
  try {
    host.component("lr_schedule", "ramp").create(toml);
  } catch (const Failure& failure) {
    CHECK(failure.status() == VISSL_E_CONFIG);
    return failure.what();
  }
  return "";
}

TEST_CASE("fake host: a config is checked against the declarations") {
  test::Host host;
  host.load_self();
  CHECK(refused(host, "slop = 1") == "test.toml:1:8: unknown key 'slop'");
  CHECK(refused(host, "slope = 0") == "test.toml:1:9: 'slope' is out of bounds");
  CHECK(refused(host, "\nslope = 10.5") == "test.toml:2:9: 'slope' is out of bounds");
  CHECK(refused(host, "slope = \"1\"") == "test.toml:1:9: 'slope' has the wrong type");
  CHECK(refused(host, "shape = \"odd\"") == "test.toml:1:9: 'shape' must not be 'odd'");
  CHECK(refused(host, "steps = 3") == "test.toml:1:9: 'steps' must be a list");
  CHECK(refused(host, "steps = [1, -1]") == "test.toml:1:13: 'steps' is out of bounds");
  CHECK(refused(host, "slope = ") == "test.toml:1:9: expected a value");
  CHECK(refused(host, "slope = 1 1") == "test.toml:1:11: expected a new line");
  CHECK(refused(host, "slope = 1\nslope = 2") == "test.toml:2:1: 'slope' is set twice");
  CHECK(refused(host, "inner = { name = \"ramp\", slope = -1 }") ==
        "test.toml:1:34: 'slope' is out of bounds");
  CHECK(refused(host, "slope = 10") == "");
  CHECK_THROWS_WITH_AS(host.component("lr_schedule", "twice").create(),
                       "test.toml:1:1: 'inner' is required", Failure);
  CHECK(host.component("lr_schedule", "ramp").declared.rules ==
        std::vector<std::string>{"prefix OPTIMIZER.ramp", "derive count <- len(data.train)"});
}

TEST_CASE("fake host: instances get defaults, can be inside others, rescale, save and load") {
  test::Host host;
  host.load_self();
  const test::Component& ramp = host.component("lr_schedule", "ramp");
  CHECK(test::Schedule(ramp.create()).value(0.5) == 1.0);
  test::Schedule schedule = ramp.create("slope = 4  # steep");
  CHECK(schedule.value(0.5) == 2.0);
  REQUIRE(schedule.can_rescale());
  schedule.rescale(10);
  CHECK(schedule.value(0.5) == 20.0);
  test::Schedule twice =
      host.component("lr_schedule", "twice").create("[inner]\nname = 'ramp'\nslope = 3");
  CHECK(twice.value(1.0) == 6.0);
  CHECK_FALSE(twice.can_rescale());

  const test::Instance saved = ramp.create("slope = 7");
  test::Instance fresh = ramp.create();
  fresh.load(saved.save());
  CHECK(test::Schedule(std::move(fresh)).value(1.0) == 7.0);
  CHECK_THROWS_WITH_AS(ramp.create().load(""), "the saved state ends too early", Failure);
}

TEST_CASE("config: values are read by type and name the place of an error") {
  test::Host host;
  const test::Node& root = host.keep(test::parse_toml(
      "a.b = [1, 2.5, -3e2]\nflags = [true, false]\ntext = \"x\\\"\\n\"\n"
      "nested = [[1, 2], { k = 'v' },\n  # a comment\n]\n[part.inner]\nsize = 1_000"));
  const Config c(root.handle());
  CHECK(c.table("a").numbers("b") == std::vector<double>{1, 2.5, -300});
  CHECK(c.booleans("flags") == std::vector<bool>{true, false});
  CHECK(c.string("text") == "x\"\n");
  CHECK(c.list("nested")[0].integers() == std::vector<std::int64_t>{1, 2});
  CHECK(c.list("nested")[1].string("k") == "v");
  CHECK(c.at("part").at("inner").integer("size") == 1000);
  CHECK(c.at("part").key(0) == "inner");
  CHECK(c.size() == 5);
  CHECK(c.has("text"));
  CHECK_FALSE(c.has("missing"));
  CHECK_FALSE(c.find("missing").has_value());
  const auto says = [](auto body, const char* text) {
    CHECK_THROWS_WITH_AS(body(), text, Failure);
  };
  says([&] { c.number("text"); }, "test.toml:3:8: 'text' must be a number, not a string");
  says([&] { c.integer("part"); }, "test.toml:7:2: 'part' must be an integer, not a table");
  says([&] { c.strings("flags"); }, "test.toml:2:10: 'flags' must be a string, not true or false");
  says([&] { c.boolean("gone"); }, "test.toml:1:1: 'gone' is missing");
  says([&] { c.list("nested")[1].numbers("k"); },
       "test.toml:4:25: 'k' must be a list, not a string");
  says([&] { c.at(9); }, "test.toml:1:1: there is no element 9");
}

}  // namespace

VISSL_LR_SCHEDULE(Ramp, "ramp", "A straight line.")
VISSL_LR_SCHEDULE(Twice, "twice", "Another schedule, doubled.")
VISSL_PLUGIN("test.self", "1.0.0")
