// main() of plugin tests and the fake host's services, which take seconds to compile: once per
// build tree.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#define VISSL_TEST_IMPLEMENTATION
#include <doctest/doctest.h>

#include <vissl/test.hpp>
