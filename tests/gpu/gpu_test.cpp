// What the runtime does with libvissl_cuda.so beyond a training run. Each case is a process of its
// own, because the library must be opened before the first operator call.
#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <cstdint>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/HashStore.hpp>

#include "host/runtime/abi/context.hpp"
#include "host/runtime/device/open_cuda.hpp"
#include "host/runtime/device/upload.hpp"

using namespace vissl::host;

namespace {

// The opened library with GPU 0 in use; NULL, with the word that ctest looks for, where there is
// none.
Cuda* first_gpu() {
  std::string problem;
  Cuda* cuda = nvidia_driver_present(problem) ? open_cuda(problem) : nullptr;
  if (cuda == nullptr || cuda->device_count(problem) == 0) {
    MESSAGE("skipped: " << problem);
    return nullptr;
  }
  cuda->use(0);
  context().device = at::Device(at::kCUDA, 0);
  return cuda;
}

}  // namespace

TEST_CASE("gpu: the library tells the device, the driver and the peak of memory") {
  Cuda* const cuda = first_gpu();
  if (cuda == nullptr) return;
  const Gpu gpu = cuda->gpu(0);
  CHECK_FALSE(gpu.name.empty());
  CHECK(gpu.memory_bytes > (1 << 30));
  CHECK(gpu.major >= 5);
  const CudaVersions versions = cuda->versions();
  for (const std::string& version :
       {versions.runtime, versions.driver, versions.cudnn, versions.nccl})
    CHECK(version.find('.') != std::string::npos);
  const std::int64_t before = cuda->peak_bytes(0);
  const at::Tensor held = at::zeros({1 << 22}, at::TensorOptions(context().device));
  CHECK(cuda->peak_bytes(0) >= before + (std::int64_t{4} << 22));
}

TEST_CASE("gpu: NCCL with one rank gives what the rank has") {
  Cuda* const cuda = first_gpu();
  if (cuda == nullptr) return;
  const auto store = c10::make_intrusive<c10d::HashStore>();
  const auto nccl = cuda->make_nccl(store, 0, 1, std::chrono::seconds(60), 0);
  const at::Tensor values = at::arange(6, at::TensorOptions(context().device).dtype(at::kFloat));
  std::vector<at::Tensor> list{values.clone()};
  nccl->allreduce(list)->wait();
  CHECK(at::equal(list[0], values));
  nccl->broadcast(list)->wait();
  CHECK(at::equal(list[0], values));
  at::Tensor gathered = at::zeros_like(values), sent = values.clone();
  nccl->_allgather_base(gathered, sent)->wait();
  CHECK(at::equal(gathered, values));
  at::Tensor received = at::zeros_like(values);
  std::vector<std::int64_t> all{6};
  nccl->alltoall_base(received, sent, all, all)->wait();
  CHECK(at::equal(received, values));
  nccl->barrier()->wait();
  nccl->shutdown();
}

TEST_CASE("gpu: batches in pinned memory that are copied ahead keep their values") {
  Cuda* const cuda = first_gpu();
  if (cuda == nullptr) return;
  constexpr std::int64_t kRows = 1 << 20;
  constexpr std::size_t kBytes = static_cast<std::size_t>(kRows) * sizeof(float);
  const Allocator memory = cuda->pinned_memory(0);
  int alive = 0;
  const auto batch_of = [&](float value) {
    auto* data = static_cast<float*>(memory.allocate(kBytes));
    REQUIRE(data != nullptr);
    CHECK(reinterpret_cast<std::uintptr_t>(data) % 64 == 0);
    std::fill_n(data, kRows, value);
    ++alive;
    auto* batch = new Batch;
    batch->fields = {{"data", false, {{VISSL_F32, {kRows}, data}}}};
    return std::shared_ptr<Batch>(batch, [&, data](Batch* done) {
      std::fill_n(data, kRows, -1.0f);  // a copy that is still going on would see it
      memory.release(data, kBytes);
      --alive;
      delete done;
    });
  };
  {
    Upload upload({context().device, at::kFloat, false, true});
    std::shared_ptr<Batch> following = batch_of(0.0f);
    upload.begin(following);
    for (int k = 0; k < 20; ++k) {
      const std::shared_ptr<Batch> batch =
          std::exchange(following, batch_of(static_cast<float>(k + 1)));
      upload.begin(following);
      const Fields fields = upload.take(batch);
      CHECK((fields.find("data")->tensors.front() == k).all().item<bool>());
    }
  }
  CHECK(alive == 0);
}

TEST_CASE("gpu: the random state holds both generators") {
  if (first_gpu() == nullptr) return;
  const RandomState state = RandomState::current();
  const auto draw = [] {
    return std::pair{at::rand({4}), at::rand({4}, at::TensorOptions(context().device)).cpu()};
  };
  const auto first = draw(), second = draw();
  CHECK_FALSE(at::equal(first.second, second.second));
  state.set();
  const auto again = draw();
  CHECK(at::equal(first.first, again.first));
  CHECK(at::equal(first.second, again.second));
}
