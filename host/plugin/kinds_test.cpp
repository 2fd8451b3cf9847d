#include "host/plugin/kinds.hpp"

#include <doctest/doctest.h>
#include <vissl/meter.h>

#include <cstddef>

using namespace vissl::host;

TEST_CASE("the class table of an older plugin is filled up with zeros; one that is whole stays") {
  vissl_meter_class table{};
  table.value = [](void*, const vissl_out*, vissl_err*) -> vissl_status { return VISSL_OK; };
  table.reduce = [](void*, vissl_err*) -> vissl_status { return VISSL_E_FAILED; };
  table.size = sizeof table;
  CHECK(whole_table(&table, sizeof table) == &table);
  vissl_meter_class older = table;  // `reduce` lies beyond the size that it tells
  older.size = offsetof(vissl_meter_class, reduce);
  const auto* whole = static_cast<const vissl_meter_class*>(whole_table(&older, sizeof older));
  CHECK(whole != &older);
  CHECK((whole->value == older.value));
  CHECK((whole->reduce == nullptr));
  CHECK(whole_table(&older, sizeof older) == whole);
}

TEST_CASE("no kind demands fields that were appended after its first release") {
  for (const Kind& kind : kinds()) {
    CHECK(kind.least_size <= kind.table_size);
    CHECK(find_kind(kind.name) == &kind);
  }
  CHECK(find_kind("meter")->least_size == offsetof(vissl_meter_class, reduce));
  CHECK(find_extension("vissl.trailing/0x") == nullptr);
}
