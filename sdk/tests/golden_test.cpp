#include <doctest/doctest.h>

#include <vissl/test.hpp>

#include <sstream>

using namespace vissl;

namespace {

test::Golden read(const char* text) {
  std::istringstream in(text);
  return test::Golden(in);
}

TEST_CASE("golden: tensors come back with shape and values") {
  test::Host host;
  const test::Golden golden =
      read("# a comment\nlogits 2 2\n0.5 -1\n2e3 inf\n\nloss\n0.25\nnone 0 3\n");
  CHECK(golden.tensor("logits").sizes() == std::vector<std::int64_t>{2, 2});
  CHECK_CLOSE(golden.tensor("logits"), {0.5, -1, 2000, INFINITY}, 0, 0);
  CHECK(golden.values("loss") == test::Values{0.25});
  CHECK(golden.shape("none") == test::Shape{0, 3});
  CHECK(golden.has("loss"));
  CHECK_FALSE(golden.has("los"));
}

TEST_CASE("golden: cut files, stray words and missing names are failures") {
  CHECK_THROWS_WITH_AS(read("a 2 2\n1 2 3\n"), "golden 'a' has 3 values for the shape [2, 2]",
                       Failure);
  CHECK_THROWS_WITH_AS(read("1 2\n"), "golden values come before their name", Failure);
  CHECK_THROWS_WITH_AS(read("a 2\n1 b\n"), "'b' among the values of 'a' is no number", Failure);
  CHECK_THROWS_WITH_AS(read("a\n1\n").values("b"), "there are no golden values 'b'", Failure);
  CHECK_THROWS_WITH_AS(test::golden("/nowhere/x.txt"), "the golden file /nowhere/x.txt is missing",
                       Failure);
}

TEST_CASE("golden: a difference names the value, a shape the shapes") {
  test::Host host;
  CHECK(test::difference(test::tensor({1, 2}), {1, 2.5}, 0.1, 0.1) ==
        "value 1 is 2 instead of 2.5");
  CHECK(test::difference(test::tensor({1, 2}), {1, 2.5}, 0, 0.2) == "");
  CHECK(test::difference(test::tensor({1, 2}), test::tensor({1, 2}, {2, 1}), 0, 0) ==
        "shape [2] instead of [2, 1]");
  CHECK(test::difference(test::tensor({NAN}), {1}, 9, 9) == "value 0 is nan instead of 1");
}

}  // namespace
