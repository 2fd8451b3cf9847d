#include "host/plugin/conformance/elf_facts.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

using namespace vissl::host;

namespace {

std::string library() {
  std::ifstream in(VISSL_TEST_PLUGIN_DIR "/duplicate/first.so", std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("elf facts: a plugin needs the C++ library, exports its entry and has no bad segment") {
  std::string reason;
  const auto facts = read_elf_facts(library(), reason);
  REQUIRE(facts);
  CHECK(std::count(facts->needed.begin(), facts->needed.end(), "libc.so.6") == 1);
  CHECK(facts->exported == std::vector<std::string>{"vissl_plugin_entry_v1"});
  CHECK_FALSE(facts->executable_stack);
  CHECK_FALSE(facts->writable_code);
  CHECK_FALSE(facts->text_relocations);
  CHECK(facts->run_paths.empty());
  CHECK(std::any_of(facts->versions.begin(), facts->versions.end(),
                    [](const std::string& v) { return v.starts_with("GLIBC_2."); }));
}

TEST_CASE("elf facts: a damaged file gives facts or a reason, never a crash") {
  const std::string good = library();
  REQUIRE(good.size() > 4096);
  std::uint32_t x = 1;
  const auto draw = [&] { return x = x * 1664525u + 1013904223u; };
  int refused = 0;
  for (int round = 0; round < 400; ++round) {
    std::string bad = good;
    // The file's header, then the section headers at its end, then anywhere.
    for (int change = 0; change < 4; ++change) {
      const std::size_t from = round % 3 == 1 ? bad.size() - 2048 : 0;
      const std::size_t range = round % 3 == 0 ? 64 : round % 3 == 1 ? 2048 : bad.size();
      bad[from + (draw() >> 8) % range] = static_cast<char>(draw() >> 24);
    }
    if (round % 5 == 0) bad.resize((draw() >> 8) % bad.size());
    std::string reason;
    if (read_elf_facts(bad, reason)) continue;
    ++refused;
    CHECK(reason == "has a damaged dynamic section; copy or build it again");
  }
  CHECK(refused > 20);
}
