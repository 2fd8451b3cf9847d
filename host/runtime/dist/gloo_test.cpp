#include "host/runtime/dist/gloo.hpp"

#include <ATen/ATen.h>

#include <array>

#include "host/files/error.hpp"
#include "host/runtime/dist/test_ranks.hpp"

using namespace vissl::host;

namespace {

// Rows of rank r that belong to nothing else.
at::Tensor own_rows(int64_t rank, int64_t rows = 2) {
  return at::arange(rows * 3, at::kDouble).reshape({rows, 3}) + 100.0 * static_cast<double>(rank);
}

}  // namespace

TEST_CASE("gloo: reductions of 2, 3 and 4 ranks, also of tensors that are not contiguous") {
  for (const int64_t world : {2, 3, 4}) {
    CAPTURE(world);
    on_ranks(world, [&](Collectives& ranks) {
      const double mean_rank = static_cast<double>(world - 1) / 2.0;
      const auto reduced = [&](Collectives::Reduce op) {
        at::Tensor t = own_rows(ranks.rank()).t();
        ranks.all_reduce(t, op);
        return t;
      };
      const at::Tensor base = own_rows(0).t();
      using R = Collectives::Reduce;
      require(reduced(R::mean).allclose(base + 100.0 * mean_rank), "mean");
      require(reduced(R::sum).allclose((base + 100.0 * mean_rank) * world), "sum");
      require(reduced(R::max).equal(base + 100.0 * static_cast<double>(world - 1)), "max");
      require(reduced(R::min).equal(base), "min");
      at::Tensor whole = at::full({2}, ranks.rank(), at::kLong);
      ranks.all_reduce(whole, R::sum);
      require(whole[0].item<int64_t>() == world * (world - 1) / 2, "sum of integers");
      at::Tensor half = at::full({5}, 1.5, at::kBFloat16);
      ranks.all_reduce(half, R::sum);
      require(half[4].item<double>() == 1.5 * static_cast<double>(world), "bfloat16");
    });
  }
}

TEST_CASE("gloo: all ranks get the same bits of a sum that depends on its order") {
  std::array<at::Tensor, 3> sums;
  on_ranks(3, [&](Collectives& ranks) {
    at::Tensor t = at::linspace(0.1, 7.3, 100'000, at::kFloat) *
                   (ranks.rank() == 1 ? -3e7 : 1.7 + static_cast<double>(ranks.rank()));
    ranks.all_reduce(t, Collectives::Reduce::sum);
    sums[static_cast<std::size_t>(ranks.rank())] = t;
  });
  CHECK(sums[0].equal(sums[1]));
  CHECK(sums[0].equal(sums[2]));
}

TEST_CASE("gloo: all_gather is rank-major; its gradient is the ranks' sum, cut to the own rows") {
  for (const int64_t world : {2, 3, 4}) {
    CAPTURE(world);
    on_ranks(world, [&](Collectives& ranks) {
      at::Tensor own = own_rows(ranks.rank()).requires_grad_(true);
      const at::Tensor all = ranks.all_gather(own, true);
      require(all.size(0) == 2 * world, "rows");
      for (int64_t r = 0; r < world; ++r)
        require(all.narrow(0, 2 * r, 2).equal(own_rows(r)), "order");
      // loss_r = sum over rows i of (r + 1) (i + 1) sum(all_i): d/d all_i = (r + 1) (i + 1)
      const at::Tensor weight = at::arange(1, 2 * world + 1, at::kDouble).reshape({-1, 1}) *
                                static_cast<double>(ranks.rank() + 1);
      (all * weight).sum().backward();
      const double ranks_sum = static_cast<double>(world * (world + 1)) / 2.0;
      const at::Tensor wanted =
          (at::arange(1, 3, at::kDouble) + 2.0 * static_cast<double>(ranks.rank())) * ranks_sum;
      require(own.grad().select(1, 0).allclose(wanted), "gradient");
      require(!ranks.all_gather(own, false).requires_grad(), "without gradient");
      const at::Tensor numbers =
          ranks.all_gather(at::scalar_tensor(ranks.rank(), at::kLong), false);
      require(numbers.equal(at::arange(world)), "single numbers");
    });
  }
}

TEST_CASE("gloo: broadcast, all_to_all with unequal rows, and groups of consecutive ranks") {
  on_ranks(3, [&](Collectives& ranks) {
    at::Tensor t = own_rows(ranks.rank());
    ranks.broadcast(t, 2);
    require(t.equal(own_rows(2)), "broadcast");

    // Rank r sends r + j rows to rank j, each with the value 10 r + j.
    std::array<int64_t, 3> send{}, receive{};
    std::vector<at::Tensor> rows;
    for (int64_t j = 0; j < 3; ++j) {
      send[static_cast<std::size_t>(j)] = receive[static_cast<std::size_t>(j)] = ranks.rank() + j;
      rows.push_back(at::full({ranks.rank() + j, 2}, 10 * ranks.rank() + j, at::kLong));
    }
    const at::Tensor got = ranks.all_to_all(at::cat(rows), send, receive);
    int64_t at_row = 0;
    for (int64_t j = 0; j < 3; ++j) {
      const int64_t count = j + ranks.rank();
      require(got.narrow(0, at_row, count).eq(10 * j + ranks.rank()).all().item<bool>(),
              "all_to_all");
      at_row += count;
    }
    require(at_row == got.size(0), "all_to_all's rows");

    Collectives& pair = ranks.group(2);
    require(pair.world() == (ranks.rank() < 2 ? 2 : 1), "size of the group");
    at::Tensor sum = at::full({1}, ranks.rank() + 1, at::kLong);
    const Collectives::Begun before = ranks.begun();
    pair.all_reduce(sum, Collectives::Reduce::sum);
    require(ranks.begun().all == before.all, "an exchange in a group is none of all");
    require(ranks.begun().in_groups == before.in_groups + (pair.world() == 2 ? 1 : 0),
            "an exchange in a group counts");
    require(sum.item<int64_t>() == 3, "sum in the group");
    require(&ranks.group(2) == &pair, "a group is made once");
    require(&ranks.group(3) == &ranks, "the group of all");
  });
}

TEST_CASE("gloo: a mean of whole numbers is refused") {
  on_ranks(2, [&](Collectives& ranks) {
    std::string text;
    at::Tensor whole = at::ones({2}, at::kLong);
    try {
      ranks.all_reduce(whole, Collectives::Reduce::mean);
    } catch (const Error& error) {
      text = error.what();
    }
    require(text == "all_reduce: a mean needs a floating-point tensor", "text");
  });
}

TEST_CASE("gloo: sizes that do not fit are an error that names call and rank") {
  on_ranks(2, [&](Collectives& ranks) {
    const std::array<int64_t, 2> send{1, 1}, receive{1, 1};
    std::string text;
    try {
      ranks.all_to_all(at::zeros({3, 1}), send, receive);
    } catch (const Error& error) {
      if (error.code() == Exit::distributed) text = error.what();
    }
    require(text == "all_to_all: rank " + std::to_string(ranks.rank()) +
                        " has 3 rows but wants to send 2",
            "text");
  });
}
