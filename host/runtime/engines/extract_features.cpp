// VISSL's extract_features (reference, engine 3.6): features, targets and indices of every split as
// .npy files, float32.
#include <ATen/ops/from_blob.h>
#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <filesystem>
#include <span>

#include "host/files/npy.hpp"
#include "host/runtime/abi/guard.hpp"
#include "host/runtime/abi/handle.hpp"
#include "host/runtime/checkpoint/run_folder.hpp"
#include "host/runtime/dist/collectives.hpp"
#include "host/runtime/engines/kinds.hpp"
#include "host/runtime/train/task.hpp"

namespace vissl::host {

namespace {

// Rows of one layer that wait to be written.
struct Layer {
  std::string name;
  std::vector<std::int64_t> row_shape;
  std::vector<float> features;
};

// The labels of a sample as (K), K = 1 for a class: int64, or float32 where they are real; -1 for a
// split without labels.
at::Tensor target_of(DataEngine& data, const std::string& split, std::int64_t index) {
  vissl_array label{};
  if (data.label(split, index, &label, nullptr) != VISSL_OK) return at::full({1}, -1, at::kLong);
  const auto stored = static_cast<at::ScalarType>(label.dtype);
  const at::Tensor view = at::from_blob(const_cast<void*>(label.data),
                                        at::IntArrayRef(label.shape, label.ndim), stored);
  return view.reshape({-1}).to(at::isFloatingType(stored) ? at::kFloat : at::kLong, false, true);
}

class Extraction {
 public:
  Extraction(DataEngine& data, std::filesystem::path dir, std::string split,
             std::vector<std::string> layers, std::int64_t chunk, std::int64_t rank)
      : data_(data),
        dir_(std::move(dir)),
        split_(std::move(split)),
        chunk_size_(chunk),
        rank_(rank) {
    for (std::string& name : layers) layers_.push_back({std::move(name), {}, {}});
  }

  void add(const vissl_pass_batch& batch) {
    if (batch.output_count != layers_.size()) {
      throw Error(Exit::usage,
                  "the model gives " + std::to_string(batch.output_count) + " outputs for " +
                      std::to_string(layers_.size()) +
                      " layer names; list the features in model.feature_eval.features");
    }
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const at::Tensor rows = unwrap(batch.outputs[i]).to(at::kCPU, at::kFloat).contiguous();
      layers_[i].row_shape = rows.sizes().slice(1).vec();
      const float* data = rows.const_data_ptr<float>();
      layers_[i].features.insert(layers_[i].features.end(), data, data + rows.numel());
    }
    indices_.insert(indices_.end(), batch.indices, batch.indices + batch.rows);
    for (std::uint64_t r = 0; r < batch.rows; ++r)
      targets_.push_back(target_of(data_, split_, batch.indices[r]));
    if (chunk_size_ >= 0 && static_cast<std::int64_t>(indices_.size()) >= chunk_size_) write();
  }

  void write() {
    if (indices_.empty()) return;
    const auto rows = static_cast<std::int64_t>(indices_.size());
    const at::Tensor targets = at::stack(targets_);  // (rows, K)
    for (Layer& layer : layers_) {
      const std::string stem = "rank" + std::to_string(rank_) + "_chunk" + std::to_string(chunk_) +
                               "_" + split_ + "_" + layer.name + "_";
      std::vector<std::int64_t> shape{rows};
      shape.insert(shape.end(), layer.row_shape.begin(), layer.row_shape.end());
      write(stem + "features.npy", DType::float32, shape, std::as_bytes(std::span(layer.features)));
      write(stem + "targets.npy",
            at::isFloatingType(targets.scalar_type()) ? DType::float32 : DType::int64,
            targets.sizes().vec(),
            std::span(static_cast<const std::byte*>(targets.const_data_ptr()), targets.nbytes()));
      write(stem + "inds.npy", DType::int64, {rows}, std::as_bytes(std::span(indices_)));
      layer.features.clear();
    }
    written_ += rows;
    ++chunk_;
    indices_.clear();
    targets_.clear();
  }
  std::int64_t written() const { return written_; }

 private:
  // The rows stay where they are until the file is written.
  void write(const std::string& name, DType dtype, std::vector<std::int64_t> shape,
             std::span<const std::byte> rows) const {
    const auto storage = Storage::borrow(rows.data(), rows.size(), nullptr);
    write_npy(dir_ / name, TensorRef::contiguous(dtype, std::move(shape), storage));
  }

  DataEngine& data_;
  std::filesystem::path dir_;
  std::string split_;
  std::int64_t chunk_size_, rank_;
  std::int64_t chunk_ = 0, written_ = 0;
  std::vector<Layer> layers_;
  std::vector<std::int64_t> indices_;
  std::vector<at::Tensor> targets_;  // per sample (K)
};

}  // namespace

int run_extract_features(Session& session) {
  RunFolder folder(session.config()["checkpoint"], *session.services().log);
  if (collectives().rank() == 0)
    session.services().log->open_file((folder.path() / "log.txt").string(), true);
  Task task(session, Task::Purpose::evaluate);
  const Setting engine = session.config()["engine"];
  const std::string wanted = engine.string("output_dir");
  const std::filesystem::path dir = wanted.empty() ? folder.path() : std::filesystem::path(wanted);
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  if (error) throw_write_error(dir, error.value());
  for (const char* split : {"train", "test"}) {
    if (!task.data().has(split)) continue;
    Extraction extraction(task.data(), dir, split, task.model().output_names(),
                          engine.integer("chunk_threshold"), task.facts().rank);
    vissl_pass pass{};
    pass.size = sizeof pass;
    pass.split = str(split);
    pass.ctx = &extraction;
    pass.on_batch = [](void* ctx, const vissl_pass_batch* batch, vissl_err* err) {
      return guarded(err, [&] { static_cast<Extraction*>(ctx)->add(*batch); });
    };
    task.pass(pass);
    extraction.write();
    session.log(LogLevel::info, "wrote features of " + std::to_string(extraction.written()) + " " +
                                    split + " samples to " + dir.string());
  }
  return 0;
}

}  // namespace vissl::host
