#include "host/runtime/dist/agree.hpp"

#include <ATen/ATen.h>

#include <array>

#include "host/files/error.hpp"
#include "host/runtime/dist/test_ranks.hpp"

using namespace vissl::host;

namespace {

// The texts of the ranks, each of which must meet the same error or none.
template <class Body>
std::string text_of_all(int64_t world, Body&& body) {
  std::vector<std::string> texts(static_cast<std::size_t>(world));
  on_ranks(world, [&](Collectives& ranks) {
    try {
      body(ranks);
    } catch (const Error& error) {
      require(error.code() == Exit::bad_plugin, "the plugin is at fault");
      texts[static_cast<std::size_t>(ranks.rank())] = error.what();
    }
  });
  for (const std::string& text : texts) CHECK(text == texts[0]);
  return texts[0];
}

}  // namespace

TEST_CASE("agree: equal amounts pass, also in other shapes") {
  CHECK(text_of_all(3, [](Collectives& ranks) {
          const at::Tensor t = at::zeros({2, 3});
          agree(ranks, Exchange::all_reduce, ranks.rank() == 1 ? t.t() : t);
        }) == "");
}

TEST_CASE("agree: another amount, type or exchange is told by all ranks alike") {
  const std::string must = "; all ranks must make the same exchanges, of as many values";
  CHECK(text_of_all(3,
                    [](Collectives& ranks) {
                      agree(ranks, Exchange::all_gather, at::zeros({ranks.rank() == 2 ? 5 : 2, 3}));
                    }) ==
        "rank 0 comes to all_gather with 6 Float values, but rank 2 to all_gather with 15 "
        "Float values" +
            must);
  CHECK(text_of_all(2,
                    [](Collectives& ranks) {
                      const bool first = ranks.rank() == 0;
                      agree(ranks, first ? Exchange::broadcast : Exchange::all_reduce,
                            at::zeros({4}, first ? at::kLong : at::kDouble));
                    }) ==
        "rank 0 comes to broadcast with 4 Long values, but rank 1 to all_reduce with 4 Double "
        "values" +
            must);
  CHECK(text_of_all(2,
                    [](Collectives& ranks) {
                      agree(ranks, Exchange::all_to_all, at::zeros({2, 3 + ranks.rank()}));
                    }) ==
        "rank 0 comes to all_to_all with rows of 3 Float values, but rank 1 to all_to_all "
        "with rows of 4 Float values" +
            must);
}

TEST_CASE("agree: rows that one rank sends and another does not expect are named") {
  const auto exchange = [](int64_t sent, int64_t expected) {
    return text_of_all(2, [&](Collectives& ranks) {
      const std::array<int64_t, 2> usual{1, 1}, send{1, sent}, receive{expected, 1};
      const at::Tensor rows = at::zeros({1, 2});
      if (ranks.rank() == 0)
        agree_on_rows(ranks, rows, send, usual);
      else
        agree_on_rows(ranks, rows, usual, receive);
    });
  };
  CHECK(exchange(4, 4) == "");
  CHECK(exchange(4, 1) == "all_to_all: rank 0 sends 4 rows to rank 1, which expects 1");
  CHECK(exchange(1, 4) == "all_to_all: rank 0 sends 1 rows to rank 1, which expects 4");
}
