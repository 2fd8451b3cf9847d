#include "host/runtime/dist/together.hpp"

#include <string>
#include <vector>

#include "host/files/error.hpp"
#include "host/runtime/dist/broadcast.hpp"
#include "host/runtime/dist/test_ranks.hpp"

using namespace vissl::host;

namespace {

// The error that all of three ranks meet alike when those with a text fail with it.
std::string text_of_all(const std::vector<std::string>& failures, Exit code = Exit::bad_data) {
  std::vector<std::string> met(3);
  on_ranks(3, [&](Collectives& ranks) {
    const auto rank = static_cast<std::size_t>(ranks.rank());
    try {
      together(ranks, [&] {
        if (!failures[rank].empty()) throw Error(code, failures[rank]);
      });
    } catch (const Error& error) {
      require(error.code() == code, "the code comes with the text");
      met[rank] = error.what();
    }
  });
  CHECK(met[1] == met[0]);
  CHECK(met[2] == met[0]);
  return met[0];
}

}  // namespace

TEST_CASE("together: without a failure nothing is thrown, and all go on") {
  CHECK(text_of_all({"", "", ""}) == "");
}

TEST_CASE("together: one rank's failure is that of all, under its name") {
  CHECK(text_of_all({"", "", "a.pth: not there"}) == "rank 2: a.pth: not there");
  CHECK(text_of_all({"", "of one", "of two"}, Exit::usage) == "rank 1: of one");
}

TEST_CASE("together: what all meet needs no rank's name") {
  CHECK(text_of_all({"no such key", "no such key", "no such key"}) == "no such key");
}

TEST_CASE("together: other exceptions are failures of the run") {
  on_ranks(2, [](Collectives& ranks) {
    Exit code = Exit::done;
    try {
      together(ranks, [&] {
        if (ranks.rank() == 1) throw std::out_of_range("far");
      });
    } catch (const Error& error) {
      code = error.code();
      require(std::string(error.what()) == "rank 1: far", "its text");
    }
    require(code == Exit::run_failed, "its code");
  });
}

TEST_CASE("gather_texts: texts of any length come to all ranks in their order") {
  on_ranks(3, [](Collectives& ranks) {
    const std::vector<std::string> own = {"zero", "", std::string("o\0n\nly", 6)};
    require(gather_texts(ranks, own[static_cast<std::size_t>(ranks.rank())]) == own, "all texts");
    require(gather_texts(ranks, "") == std::vector<std::string>(3), "no text at all");
  });
}
