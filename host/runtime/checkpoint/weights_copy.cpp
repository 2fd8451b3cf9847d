#include "host/runtime/checkpoint/weights_copy.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/real.h>
#include <torch/csrc/autograd/grad_mode.h>

#include <span>
#include <unordered_set>

#include "host/files/crc.hpp"
#include "host/files/mapped_file.hpp"
#include "host/files/read_into.hpp"
#include "host/files/shape_text.hpp"
#include "host/runtime/abi/handle.hpp"
#include "host/runtime/checkpoint/tensors.hpp"

namespace vissl::host {

namespace {

// Shares the file's memory, which `ref` keeps.
at::Tensor view_of(const TensorRef& ref) {
  const char* wrong = ref.invalid();
  if (wrong != nullptr) throw Error(Exit::bad_data, wrong);
  if (ref.numel() == 0) return from_file(ref);
  const auto type = static_cast<at::ScalarType>(static_cast<int>(ref.dtype));
  auto* data = const_cast<std::byte*>(ref.storage->bytes().data()) +
               static_cast<std::uint64_t>(ref.offset) * size_bytes(ref.dtype);
  return at::from_blob(data, ref.shape, ref.strides, at::TensorOptions().dtype(type));
}

// Whether the file has the bytes just as `to` has them in memory.
bool fits_bytes(const TensorRef& from, const at::Tensor& to) {
  return to.is_cpu() && to.is_contiguous() && from.dtype != DType::boolean &&
         static_cast<int>(from.dtype) == static_cast<int>(to.scalar_type()) &&
         from.invalid() == nullptr && from.is_contiguous();
}

ReadPiece piece(const TensorRef& from, const at::Tensor& to) {
  const std::uint64_t width = size_bytes(from.dtype);
  return {from.storage->bytes().subspan(static_cast<std::uint64_t>(from.offset) * width,
                                        static_cast<std::uint64_t>(from.numel()) * width),
          static_cast<std::byte*>(to.data_ptr())};
}

}  // namespace

Adapted adapt_weights(const WeightsPlan& plan, const Instance& profile) {
  const torch::autograd::AutoGradMode no_grad(false);
  Adapted made;
  const auto& table = profile.as<vissl_weights_profile_class>();
  for (std::size_t i = 0; i < plan.rows.size(); ++i) {
    const WeightsRow& row = plan.rows[i];
    if (row.fate != WeightsFate::adapted) continue;
    if (table.adapt == nullptr)
      throw Error(Exit::bad_plugin, profile.plugin_id() + ": the weights profile '" +
                                        profile.name() +
                                        "' plans to adapt tensors but has no adapt");
    std::vector<at::Tensor> sources;
    for (const std::uint64_t source : row.sources)
      sources.push_back(from_file(*plan.sources[source].tensor));
    const std::vector<vissl_tensor*> handles = borrow_all(sources);
    const WeightsTarget& target = plan.targets[i];
    const vissl_weights_entry entry = entry_of(target.name, target.dtype, target.shape);
    vissl_tensor* out = nullptr;
    ErrorSink error;
    error.check(table.adapt(profile.self(), row.recipe, handles.data(), handles.size(), &entry,
                            &out, error.get()),
                plan.file + ": " + target.name + ": " + row.what);
    at::Tensor result = take(out);
    if (!result.defined() || result.sizes() != at::IntArrayRef(target.shape))
      throw Error(Exit::bad_plugin,
                  profile.plugin_id() + ": adapting '" + target.name + "' (" + row.what +
                      ") gave " +
                      (result.defined() ? "shape " + shape_text(result.sizes().vec()) : "nothing") +
                      " for " + shape_text(target.shape));
    made.emplace(i, std::move(result));
  }
  return made;
}

void copy_weights(const WeightsPlan& plan, const Adapted& adapted,
                  const std::vector<at::Tensor>& model) {
  const torch::autograd::AutoGradMode no_grad(false);
  std::vector<ReadPiece> pieces;
  for (std::size_t i = 0; i < plan.rows.size(); ++i) {
    const WeightsRow& row = plan.rows[i];
    const at::Tensor& to = model[i];
    if (row.fate == WeightsFate::adapted) to.copy_(adapted.at(i));
    if (row.fate != WeightsFate::loaded || to.numel() == 0) continue;
    const TensorRef& source = *plan.sources[row.sources.front()].tensor;
    if (fits_bytes(source, to)) {
      pieces.push_back(piece(source, to));
    } else {
      const at::Tensor from = view_of(source).reshape(to.sizes());
      to.copy_(from.is_complex() && !to.is_complex() ? at::real(from) : from);
      MappedFile::let_go(source.storage->bytes());
    }
  }
  read_into(std::move(pieces), at::get_num_threads());
}

std::vector<std::string> damaged_weights(const WeightsPlan& plan,
                                         const std::vector<at::Tensor>& model) {
  struct Check {
    std::size_t source;
    std::span<const std::byte> bytes;
    std::uint32_t crc32;
  };
  std::vector<Check> checks;
  std::unordered_set<const std::byte*> known;  // tensors share storages
  for (std::size_t i = 0; i < plan.rows.size(); ++i) {
    for (const std::uint64_t source : plan.rows[i].sources) {
      const TensorRef& from = *plan.sources[source].tensor;
      const std::optional<Storage::Checksum>& checksum = from.storage->checksum();
      if (!checksum || !known.insert(checksum->of.data()).second) continue;
      std::span<const std::byte> bytes = checksum->of;
      if (plan.rows[i].fate == WeightsFate::loaded && from.numel() > 0 &&
          fits_bytes(from, model[i]) && from.storage->size_bytes() == bytes.size() &&
          model[i].nbytes() == bytes.size())
        bytes = {static_cast<const std::byte*>(model[i].const_data_ptr()), bytes.size()};
      checks.push_back({static_cast<std::size_t>(source), bytes, checksum->crc32});
    }
  }
  std::vector<char> wrong(checks.size());
  at::parallel_for(0, static_cast<int64_t>(checks.size()), 1, [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
      wrong[i] = crc32(checks[i].bytes) != checks[i].crc32;
  });
  std::vector<std::string> names;
  for (std::size_t i = 0; i < checks.size(); ++i)
    if (wrong[i] != 0) names.push_back(plan.sources[checks[i].source].name);
  return names;
}

}  // namespace vissl::host
