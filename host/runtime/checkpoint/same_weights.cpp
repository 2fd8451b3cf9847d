#include "host/runtime/checkpoint/same_weights.hpp"

#include <ATen/Parallel.h>

#include <algorithm>
#include <span>

#include "host/files/crc.hpp"
#include "host/files/error.hpp"
#include "host/files/sha256.hpp"
#include "host/files/shape_text.hpp"
#include "host/runtime/dist/broadcast.hpp"
#include "host/runtime/dist/collectives.hpp"

namespace vissl::host {

namespace {

[[noreturn]] void refuse(const WeightsPlan& plan, std::size_t rank, const std::string& what) {
  throw Error(Exit::bad_data, plan.file + ": rank " + std::to_string(rank) +
                                  " sees another file than rank 0" + what +
                                  "; give every node the same file, or pin it with #sha256=…");
}

std::uint32_t checksum(const at::Tensor& tensor) {
  const at::Tensor values = tensor.cpu().contiguous();
  return crc32({static_cast<const std::byte*>(values.const_data_ptr()), values.nbytes()});
}

std::uint32_t checksum(const WeightsPlan& plan, const WeightsRow& row, const at::Tensor& tensor) {
  if (row.fate == WeightsFate::loaded) return checksum(tensor);
  std::uint32_t crc = 0;
  if (row.fate == WeightsFate::adapted)
    for (const std::uint64_t source : row.sources)
      crc = crc32(plan.sources[source].tensor->packed(), crc);
  return crc;
}

}  // namespace

void check_same_layout(const WeightsPlan& plan) {
  if (collectives().world() == 1) return;
  std::string all = plan.format;
  for (const WeightsSource& s : plan.sources)
    all += "\n" + s.name + " " + shape_text(s.tensor->shape) + " " +
           std::string(facts(s.tensor->dtype).name);
  const std::vector<std::string> layouts =
      gather_texts(collectives(), sha256_hex(std::as_bytes(std::span(all))));
  for (std::size_t rank = 1; rank < layouts.size(); ++rank)
    if (layouts[rank] != layouts[0]) refuse(plan, rank, "");
}

std::vector<std::uint32_t> checksums(const WeightsPlan& plan,
                                     const std::vector<at::Tensor>& tensors) {
  std::vector<std::uint32_t> all(plan.rows.size());
  at::parallel_for(0, static_cast<int64_t>(all.size()), 1, [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
      all[i] = checksum(plan, plan.rows[i], tensors[i]);
  });
  return all;
}

void check_same_values(const WeightsPlan& plan, const std::vector<std::uint32_t>& own) {
  if (collectives().world() == 1) return;
  const auto bytes = std::as_bytes(std::span(own));
  const std::vector<std::string> all =
      gather_texts(collectives(), {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  for (std::size_t rank = 1; rank < all.size(); ++rank) {
    if (all[rank] == all[0]) continue;
    const auto differs = std::mismatch(all[0].begin(), all[0].end(), all[rank].begin());
    const auto row = static_cast<std::size_t>(differs.first - all[0].begin()) / sizeof own[0];
    refuse(plan, rank,
           ": '" + plan.sources[plan.rows[row].sources.front()].name + "' has other values in it");
  }
}

}  // namespace vissl::host
