#include "host/runtime/dist/agree.hpp"

#include <ATen/ATen.h>
#include <c10/util/StringUtil.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "host/files/error.hpp"

namespace vissl::host {

namespace {

constexpr std::array<const char*, 4> kNames{"all_reduce", "all_gather", "broadcast", "all_to_all"};

bool is_free(const Collectives& ranks, const at::Tensor& tensor) {
  return ranks.world() == 1 || tensor.is_cuda();
}

// Row r is what rank r gives.
std::vector<int64_t> of_all(Collectives& ranks, const std::vector<int64_t>& own) {
  const at::NoGradGuard no_grad;
  const at::Tensor all = ranks.all_gather(at::tensor(own, at::kLong).unsqueeze(0), false);
  const auto* first = all.const_data_ptr<int64_t>();
  return {first, first + all.numel()};
}

// "all_gather with 6 Float values"
std::string text_of(const int64_t* facts) {
  const bool rows = static_cast<Exchange>(facts[0]) == Exchange::all_to_all;
  return c10::str(kNames.at(static_cast<std::size_t>(facts[0])), " with ", rows ? "rows of " : "",
                  facts[2], " ", c10::toString(static_cast<c10::ScalarType>(facts[1])), " values");
}

}  // namespace

void agree(Collectives& ranks, Exchange exchange, const at::Tensor& tensor) {
  if (is_free(ranks, tensor)) return;
  int64_t values = tensor.numel();
  if (exchange == Exchange::all_to_all) {
    values = 1;
    for (int64_t d = 1; d < tensor.dim(); ++d) values *= tensor.size(d);
  }
  const std::vector<int64_t> own{static_cast<int64_t>(exchange),
                                 static_cast<int64_t>(tensor.scalar_type()), values};
  const std::vector<int64_t> all = of_all(ranks, own);
  for (int64_t rank = 1; rank < ranks.world(); ++rank) {
    const int64_t* facts = all.data() + rank * static_cast<int64_t>(own.size());
    if (std::equal(facts, facts + own.size(), all.data())) continue;
    throw Error(
        Exit::bad_plugin,
        c10::str("rank 0 comes to ", text_of(all.data()), ", but rank ", rank, " to ",
                 text_of(facts), "; all ranks must make the same exchanges, of as many values"));
  }
}

void agree_on_rows(Collectives& ranks, const at::Tensor& tensor, std::span<const int64_t> send,
                   std::span<const int64_t> receive) {
  if (is_free(ranks, tensor)) return;
  std::vector<int64_t> own(send.begin(), send.end());
  own.insert(own.end(), receive.begin(), receive.end());
  const std::vector<int64_t> all = of_all(ranks, own);
  const int64_t world = ranks.world();
  const auto sent = [&](int64_t from, int64_t to) { return all[from * 2 * world + to]; };
  const auto expected = [&](int64_t to, int64_t from) {
    return all[to * 2 * world + world + from];
  };
  for (int64_t from = 0; from < world; ++from)
    for (int64_t to = 0; to < world; ++to)
      if (sent(from, to) != expected(to, from))
        throw Error(Exit::bad_plugin,
                    c10::str("all_to_all: rank ", from, " sends ", sent(from, to), " rows to rank ",
                             to, ", which expects ", expected(to, from)));
}

}  // namespace vissl::host
