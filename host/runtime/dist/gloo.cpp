#define USE_C10D_GLOO  // libtorch's header hides the class without it
#include "host/runtime/dist/gloo.hpp"

#include <ATen/ops/empty.h>
#include <c10/util/StringUtil.h>
#include <torch/csrc/autograd/custom_function.h>

#include <atomic>
#include <map>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include "host/files/error.hpp"

namespace vissl::host {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class Gloo final : public Collectives {
 public:
  Gloo(c10::intrusive_ptr<c10d::Store> store, std::string name, int64_t rank, int64_t world,
       GlooSettings settings, std::atomic<std::uint64_t>* counts_for = nullptr)
      : store_(std::move(store)),
        name_(std::move(name)),
        rank_(rank),
        world_(world),
        settings_(std::move(settings)),
        counts_for_(counts_for) {
    auto options = c10d::ProcessGroupGloo::Options::create(settings_.timeout);
    options->devices.push_back(
        c10d::ProcessGroupGloo::createDeviceForHostname(settings_.interface_address));
    const auto own = c10::make_intrusive<c10d::PrefixStore>(name_, store_);
    backend_ = c10::make_intrusive<c10d::ProcessGroupGloo>(own, static_cast<int>(rank),
                                                           static_cast<int>(world), options);
    group_ = c10::make_intrusive<c10d::ProcessGroup>(own, static_cast<int>(rank),
                                                     static_cast<int>(world));
    group_->setBackend(at::kCPU, c10d::ProcessGroup::BackendType::GLOO, backend_);
    if (!settings_.make_gpu_backend) return;
    gpu_backend_ =
        settings_.make_gpu_backend(c10::make_intrusive<c10d::PrefixStore>(name_ + "/gpu", store_),
                                   static_cast<int>(rank), static_cast<int>(world));
    group_->setBackend(at::kCUDA, c10d::ProcessGroup::BackendType::NCCL, gpu_backend_);
  }
  ~Gloo() override {
    if (gpu_backend_) gpu_backend_->shutdown();
  }
  Gloo(const Gloo&) = delete;
  Gloo& operator=(const Gloo&) = delete;

  int64_t rank() const override { return rank_; }
  int64_t world() const override { return world_; }

  void all_reduce(at::Tensor& tensor, Reduce op) override {
    in_place(tensor, [&](at::Tensor& dense) {
      c10d::AllreduceOptions options;
      if (op == Reduce::max) options.reduceOp = c10d::ReduceOp::MAX;
      if (op == Reduce::min) options.reduceOp = c10d::ReduceOp::MIN;
      std::vector<at::Tensor> list{dense};
      wait("all_reduce", [&] { return of(dense).allreduce(list, options); });
    });
    if (op != Reduce::mean) return;
    const bool whole = c10::isIntegralType(tensor.scalar_type(), true);
    if (whole) throw Error(Exit::distributed, "all_reduce: a mean needs a floating-point tensor");
    tensor.div_(static_cast<double>(world_));
  }

  at::Tensor all_gather(const at::Tensor& tensor, bool with_grad) override;

  void broadcast(at::Tensor& tensor, int64_t root) override {
    in_place(tensor, [&](at::Tensor& dense) {
      c10d::BroadcastOptions options;
      options.rootRank = root;
      std::vector<at::Tensor> list{dense};
      wait("broadcast", [&] { return of(dense).broadcast(list, options); });
    });
  }

  at::Tensor all_to_all(const at::Tensor& tensor, std::span<const int64_t> send,
                        std::span<const int64_t> receive) override {
    if (tensor.dim() == 0)
      throw Error(Exit::distributed, "all_to_all needs a tensor with rows, not a single number");
    at::Tensor in = tensor.detach().contiguous();
    std::vector<int64_t> sizes = in.sizes().vec();
    std::vector<int64_t> in_rows(send.begin(), send.end()),
        out_rows(receive.begin(), receive.end());
    int64_t sent = 0, received = 0;
    for (const int64_t rows : in_rows) sent += rows;
    for (const int64_t rows : out_rows) received += rows;
    if (sent != sizes[0])
      throw Error(Exit::distributed, c10::str("all_to_all: rank ", rank_, " has ", sizes[0],
                                              " rows but wants to send ", sent));
    sizes[0] = received;
    at::Tensor out = at::empty(sizes, in.options());
    wait("all_to_all", [&] { return of(in).alltoall_base(out, in, out_rows, in_rows, {}); });
    return out;
  }

  void barrier() override {
    wait("barrier", [&] { return backend_->barrier({}); });
  }

  Collectives& group(int64_t ranks) override {
    if (ranks >= world_) return *this;
    auto& known = groups_[ranks];
    if (known) return *known;
    const int64_t block = ranks > 0 ? rank_ / ranks : rank_;
    const int64_t first = block * std::max<int64_t>(ranks, 1);
    const int64_t size = std::min(std::max<int64_t>(ranks, 1), world_ - first);
    if (size == 1)
      known = one_rank();
    else
      known = std::make_unique<Gloo>(store_, c10::str(name_, "/groups_of_", ranks, "/", block),
                                     rank_ - first, size, settings_,
                                     counts_for_ != nullptr ? counts_for_ : &in_groups_);
    return *known;
  }

  c10d::ProcessGroup* process_group() override { return group_.get(); }

  Begun begun() const override {
    const std::uint64_t on_gpu = gpu_backend_ ? gpu_backend_->getSequenceNumberForGroup() : 0;
    return {backend_->getSequenceNumberForGroup() + on_gpu, in_groups_.load()};
  }

  // `rows` is contiguous; (N, …) -> (world * N, …).
  at::Tensor gather(const at::Tensor& rows) {
    std::vector<int64_t> sizes = rows.sizes().vec();
    sizes[0] *= world_;
    at::Tensor out = at::empty(sizes, rows.options());
    if (out.numel() == 0) return out;
    at::Tensor in = rows;
    wait("all_gather", [&] { return of(in)._allgather_base(out, in, {}); });
    return out;
  }

 private:
  c10d::Backend& of(const at::Tensor& tensor) const {
    return tensor.is_cuda() && gpu_backend_ ? *gpu_backend_ : *backend_;
  }

  // Both backends work on contiguous memory.
  template <class Body>
  void in_place(at::Tensor& tensor, Body&& body) {
    const at::NoGradGuard no_grad;
    if (tensor.numel() == 0) return;
    at::Tensor dense = tensor.detach();
    if (dense.is_contiguous()) return body(dense);
    dense = dense.contiguous();
    body(dense);
    tensor.copy_(dense);
  }

  template <class Start>
  void wait(const char* what, Start&& start) {
    if (counts_for_ != nullptr) ++*counts_for_;
    try {
      start()->wait();
    } catch (const std::exception& error) {
      throw Error(Exit::distributed, c10::str(what, " with ", world_, " ranks failed on rank ",
                                              rank_, ": ", first_line(error.what())));
    }
  }
  static std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

  c10::intrusive_ptr<c10d::Store> store_;
  std::string name_;
  int64_t rank_, world_;
  GlooSettings settings_;
  std::atomic<std::uint64_t>* counts_for_;  // the whole's in_groups_; NULL in the whole itself
  std::atomic<std::uint64_t> in_groups_{0};
  c10::intrusive_ptr<c10d::Backend> backend_, gpu_backend_;
  c10::intrusive_ptr<c10d::ProcessGroup> group_;
  std::map<int64_t, std::unique_ptr<Collectives>> groups_;
};

struct GlooRef : torch::CustomClassHolder {
  explicit GlooRef(Gloo& given) : gloo(given) {}
  Gloo& gloo;
};

// The gradient of this rank's rows is the sum over the ranks of the gradients that they have for
// these rows.
struct GatherWithGrad : torch::autograd::Function<GatherWithGrad> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& rows,
                            c10::intrusive_ptr<GlooRef> ref) {
    Gloo& gloo = ref->gloo;
    context->saved_data["gloo"] = c10::IValue::make_capsule(std::move(ref));
    return gloo.gather(rows.contiguous());
  }
  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const auto capsule = context->saved_data["gloo"].toCapsule();
    Gloo& gloo = static_cast<GlooRef&>(*capsule).gloo;
    at::Tensor sum = grads[0].clone(at::MemoryFormat::Contiguous);
    gloo.all_reduce(sum, Collectives::Reduce::sum);
    const int64_t rows = sum.size(0) / gloo.world();
    return {sum.narrow(0, gloo.rank() * rows, rows), at::Tensor()};
  }
};

at::Tensor Gloo::all_gather(const at::Tensor& tensor, bool with_grad) {
  const at::Tensor rows = tensor.dim() == 0 ? tensor.reshape({1}) : tensor;
  if (with_grad && rows.requires_grad() && at::GradMode::is_enabled())
    return GatherWithGrad::apply(rows, c10::make_intrusive<GlooRef>(*this));
  const at::NoGradGuard no_grad;
  return gather(rows.detach().contiguous());
}

}  // namespace

std::unique_ptr<Collectives> make_gloo(const c10::intrusive_ptr<c10d::Store>& store, int64_t rank,
                                       int64_t world, const GlooSettings& settings) {
  return std::make_unique<Gloo>(store, "vissl", rank, world, settings);
}

}  // namespace vissl::host
