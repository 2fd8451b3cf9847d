#include <doctest/doctest.h>

#include <vissl/error.hpp>

namespace {

struct Met {
  vissl_status code = VISSL_OK;
  std::string text;
};
void keep(vissl_err* err, vissl_status code, vissl_str text) {
  *static_cast<Met*>(err->self) = {code, std::string(vissl::view(text))};
}
template <class Body>
Met met_by(Body body) {
  Met met;
  vissl_err err = {sizeof(vissl_err), &met, &keep};
  CHECK(vissl::guarded(&err, body) == met.code);
  return met;
}

vissl_status refuse(int number, vissl_err* err) {
  return vissl::report(err, VISSL_E_DATA, "refused " + std::to_string(number));
}
vissl_status refuse_silently(vissl_err* /*err*/) {
  return VISSL_E_FAILED;
}

TEST_CASE("errors: a failure keeps its status and text on the way to the host") {
  const Met met = met_by([] { vissl::fail(VISSL_E_CONFIG, "dims is empty"); });
  CHECK(met.code == VISSL_E_CONFIG);
  CHECK(met.text == "dims is empty");
}

TEST_CASE("errors: whatever a plugin throws stops at the border") {
  CHECK(met_by([] { throw std::bad_alloc(); }).text == "out of memory");
  CHECK(met_by([] { throw std::out_of_range("row 7"); }).text == "row 7");
  CHECK(met_by([] { throw 7; }).code == VISSL_E_FAILED);
  CHECK(met_by([] { vissl::fail(VISSL_OK, "odd"); }).code == VISSL_E_FAILED);
  CHECK(vissl::guarded(nullptr, [] { vissl::fail("no sink"); }) == VISSL_E_FAILED);
  CHECK(vissl::guarded(nullptr, [] {}) == VISSL_OK);
}

TEST_CASE("errors: a refused host call becomes a failure with the host's text") {
  try {
    vissl::call(&refuse, 3);
    FAIL("call returned");
  } catch (const vissl::Failure& failure) {
    CHECK(failure.status() == VISSL_E_DATA);
    CHECK(std::string(failure.what()) == "refused 3");
  }
  CHECK_THROWS_WITH_AS(vissl::call(&refuse_silently), "the host refused a call with status 1",
                       vissl::Failure);
}

}  // namespace
