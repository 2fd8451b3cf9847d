// Every sentence with which a pickle is refused.
#include <doctest/doctest.h>

#include <string>

#include "host/files/error.hpp"
#include "host/files/pickle_reader.hpp"

namespace {

using namespace vissl::host;
using namespace std::string_literals;

std::string refusal(const std::string& pickle, const PickleLimits& limits = {}) {
  // Exactly as large as the pickle, so that a sanitizer sees any read beyond its end.
  const std::vector<char> bytes(pickle.begin(), pickle.end());
  try {
    read_pickle({bytes.data(), bytes.size()}, "net.pkl", limits);
  } catch (const Error& error) {
    CHECK(error.code() == Exit::bad_data);
    return error.what();
  }
  return "no error";
}

std::string sentence(const std::string& what, std::size_t where) {
  return "net.pkl: the pickle " + what + " (byte " + std::to_string(where) +
         "); the file is damaged or incomplete, use another copy";
}

struct Case {
  std::string pickle;
  const char* what;
  std::size_t where;
};

void check(const std::vector<Case>& cases, const PickleLimits& limits = {}) {
  for (const Case& one : cases) {
    CAPTURE(one.what);
    CHECK(refusal(one.pickle, limits) == sentence(one.what, one.where));
  }
}

}  // namespace

TEST_CASE("pickle errors: each opcode that cannot do its work says so, with the byte") {
  check({
      {"X\x05\0\0\0abc"s, "ends inside a value", 5},
      {"cmodule\nName", "has a line without an end", 8},
      {".", "leaves no single value", 1},
      {"NN.", "leaves no single value", 3},
      {"(N.", "leaves no single value", 3},
      {"0", "takes a value that is not there", 1},
      {"N(a", "takes a value that is not there", 3},
      {"Nt", "ends a group that never began", 2},
      {"NNa", "appends to something that is no list", 3},
      {"NNNs", "sets an item of something that is no dict", 4},
      {"}(Nu", "sets a key without a value", 4},
      {"(Nd", "sets a key without a value", 3},
      {"h\x07", "refers to an object that it has not defined", 2},
      {"j\x07\0\0\0"s, "refers to an object that it has not defined", 5},
      {"\x80\x06", "has the unknown protocol 6", 2},
      {"\x82\x01", "uses Python's extension registry, which is not supported", 1},
      {"\x97", "refers to buffers outside the file, which is not supported", 1},
      {"\x98", "refers to buffers outside the file, which is not supported", 1},
      {"\xff", "has the unknown opcode 255", 1},
      {"NN\x93", "names a class by something that is no text", 3},
      {"(o", "makes an object without a class", 2},
  });
}

TEST_CASE("pickle errors: the text of protocol 0 is checked line by line") {
  check({
      {"I1x\n.", "has an integer that is no number", 4},
      {"L\n.", "has an integer that is no number", 2},
      {"F1..\n.", "has a float that is no number", 5},
      {"S'a\n.", "has a string without its quotes or with a bad escape", 4},
      {"S'\\x4'\n.", "has a string without its quotes or with a bad escape", 7},
      {"V\\u12\n.", "has a text with a bad escape", 6},
      {"Ng-1\n.", "has a bad memo number", 5},
      {"Npx\n.", "has a bad memo number", 4},
      {"Np99999999999999999999\n.", "has a bad memo number", 23},
      {"I12", "has a line without an end", 1},
  });
}

TEST_CASE("pickle errors: what is beyond a limit is refused before it takes memory") {
  PickleLimits limits;
  limits.objects = 2;
  check({{"N0N0N", "has too many objects", 5}}, limits);
  limits = {};
  limits.stack = 2;
  check({{"NNN", "needs too high a stack", 3},
         {"N\x94Nh\0"s, "needs too high a stack", 5},
         {"NN2", "needs too high a stack", 3},
         {"(((", "needs too high a stack", 3}},
        limits);
  limits = {};
  limits.memo = 1;
  check({{"N\x94\x94", "remembers too many objects", 3}}, limits);
  limits = {};
  limits.global_bytes = 8;
  check({{"cmodules1\nName\n", "has a line of 8 bytes or more", 1},
         {"cmodules\nlongName\n", "has a line of 8 bytes or more", 9},
         {"\x8c\x06module\x8c\x04Name\x93", "names a class by 10 bytes, more than the limit of 8",
          15}},
        limits);
}
