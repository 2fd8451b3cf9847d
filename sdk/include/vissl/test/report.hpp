#pragma once
// How the fake host tells that a test failed. doctest by default; define VISSL_TEST_FAILURE(text)
// before the include for another framework. The macro must not throw: leaks are found in
// destructors.
#include <vissl/error.hpp>

#include <string>

#ifndef VISSL_TEST_FAILURE
#include <doctest/doctest.h>
#define VISSL_TEST_FAILURE(text) FAIL_CHECK(text)
#endif

namespace vissl {
namespace test VISSL_HIDDEN {

inline void report_failure(const std::string& text) {
  VISSL_TEST_FAILURE(text);
}

}  // namespace test
}  // namespace vissl
