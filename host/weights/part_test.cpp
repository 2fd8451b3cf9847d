#include "host/weights/part.hpp"

#include <doctest/doctest.h>

#include "host/files/error.hpp"

namespace {

using namespace vissl::host;

Node with(const std::vector<std::string>& names) {
  Node tree = Node::dict();
  for (const std::string& name : names)
    tree[name] = TensorRef::contiguous(DType::float32, {0}, Storage::allocate(0));
  return tree;
}

std::string place(const std::vector<std::string>& names, const std::string& part) {
  try {
    return place_of_part(with(names), part, "a.pth");
  } catch (const Error& error) {
    CHECK(error.code() == Exit::usage);
    return error.what();
  }
}

}  // namespace

TEST_CASE("part: whole dotted parts name a place, from the beginning or where they stand alone") {
  const std::vector<std::string> names = {"state.base_model.trunk.w", "state.teacher.trunk.w",
                                          "state.momentum.b", "trunk.w"};
  CHECK(place(names, "state") == "state");
  CHECK(place(names, "teacher") == "state.teacher");
  CHECK(place(names, "teacher.trunk") == "state.teacher.trunk");
  CHECK(place(names, "state.teacher.trunk") == "state.teacher.trunk");
  CHECK(place(names, "trunk") == "trunk");  // its own beginning wins
  CHECK(place({"a.m.m.w"}, "m") == "a.m");
}

TEST_CASE(
    "part: half a part, a tensor's own name and several places are refused with what is there") {
  const std::vector<std::string> names = {"state.teacher.trunk.w", "state.student.trunk.w", "b.w"};
  const std::string parts =
      "; --part takes whole dotted parts of the names: 'b', 'state', 'state.student', "
      "'state.teacher', 'state.student.trunk', 'state.teacher.trunk'";
  for (const std::string part :
       {"teach", "eacher", "w", "state.teach", "state.", "teacher.trunk.w"}) {
    CAPTURE(part);
    CHECK(place(names, part) == "a.pth has no tensor below '" + part + "'" + parts);
  }
  CHECK(place(names, "trunk") ==
        "a.pth has 'trunk' in several places; name one whole: 'state.student.trunk', "
        "'state.teacher.trunk'");
  CHECK(place({"a", "b"}, "a") ==
        "a.pth has no tensor below 'a', whose tensors stand below nothing; leave out --part");
  std::vector<std::string> many;
  for (char c = 'a'; c <= 'z'; ++c) many.push_back(std::string(1, c) + ".w");
  CHECK(place(many, "0").ends_with("'k', 'l', ..."));
}
