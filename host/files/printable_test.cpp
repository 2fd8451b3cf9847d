#include "host/files/printable.hpp"

#include <doctest/doctest.h>

using namespace vissl::host;

TEST_CASE("printable: what could steer a terminal becomes its bytes, writing stays") {
  CHECK(printable("a\x1b[2J\tb\n\xc2\x9b\xe2\x80\xae\xff é") ==
        "a\\x1b[2J\\x09b\\x0a\\xc2\\x9b\\xe2\\x80\\xae\\xff é");
  CHECK(printable("") == "");
}

TEST_CASE("printable: lines keep their ends and tabs, and nothing else") {
  CHECK(printable_lines("one\n\ttwo\x1b[0m\n\n\r") == "one\n\ttwo\\x1b[0m\n\n\\x0d");
  CHECK(printable_lines("whole") == "whole");
}
