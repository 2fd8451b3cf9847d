#pragma once
// An own backward pass, and blocks that the host may recompute, shard or measure.
#include <vissl/autograd.h>
#include <vissl/tensor.hpp>

#include <memory>
#include <vector>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

inline const vissl_autograd_api& autograd_api() {
  return service<vissl_autograd_api>(VISSL_AUTOGRAD_ID);
}

namespace detail {

inline std::vector<Tensor> borrow_all(vissl_tensor* const* handles, std::uint64_t count) {
  std::vector<Tensor> out;
  out.reserve(static_cast<std::size_t>(count));
  for (std::uint64_t i = 0; i < count; ++i) out.push_back(Tensor::borrow(handles[i]));
  return out;
}
inline void hand_over(std::vector<Tensor>& from, vissl_tensor** to, std::uint64_t count,
                      const char* what) {
  if (from.size() != count) {
    fail(std::string(what) + " gave " + std::to_string(from.size()) + " tensors, " +
         std::to_string(count) + " are expected");
  }
  for (std::size_t i = 0; i < from.size(); ++i) to[i] = from[i].release();
}

}  // namespace detail

// A differentiable function: derive, implement both, and call `apply`. Tensors reach `backward`
// only through `saved`; plain numbers may be members. The object is freed with the graph, on any
// thread. Once differentiable.
//
//   struct Half : Function {
//     std::vector<Tensor> forward(const std::vector<Tensor>& in, std::vector<Tensor>&) override {
//     return {in[0] / 2}; } std::vector<Tensor> backward(const std::vector<Tensor>&, const
//     std::vector<Tensor>& g) override { return {g[0] / 2}; }
//   };
//   Tensor y = apply(std::make_unique<Half>(), "Half", {x}, 1)[0];
class Function {
 public:
  virtual ~Function() = default;
  virtual std::vector<Tensor> forward(const std::vector<Tensor>& inputs,
                                      std::vector<Tensor>& saved) = 0;
  // One gradient per input, undefined where there is none; `grads` may hold undefined tensors
  // (zero). [engine]
  virtual std::vector<Tensor> backward(const std::vector<Tensor>& saved,
                                       const std::vector<Tensor>& grads) = 0;
};

inline std::vector<Tensor> apply(std::unique_ptr<Function> function, std::string_view name,
                                 const std::vector<Tensor>& inputs, std::size_t output_count) {
  vissl_function f{};
  f.size = sizeof f;
  f.name = str(name);
  f.ctx = function.get();
  f.forward = [](void* ctx, vissl_tensor* const* in, std::uint64_t in_count, vissl_tensor** out,
                 std::uint64_t out_count, vissl_tensor** saved, std::uint64_t saved_capacity,
                 std::uint64_t* saved_count, vissl_err* err) {
    return guarded(err, [&] {
      std::vector<Tensor> kept;
      std::vector<Tensor> results =
          static_cast<Function*>(ctx)->forward(detail::borrow_all(in, in_count), kept);
      if (kept.size() > saved_capacity)
        fail("an own backward saves more tensors than the host takes");
      detail::hand_over(results, out, out_count, "forward");
      for (std::size_t i = 0; i < kept.size(); ++i) saved[i] = kept[i].release();
      *saved_count = kept.size();
    });
  };
  f.backward = [](void* ctx, vissl_tensor* const* saved, std::uint64_t saved_count,
                  vissl_tensor* const* grads, std::uint64_t out_count, vissl_tensor** grads_in,
                  std::uint64_t in_count, vissl_err* err) {
    return guarded(err, [&] {
      std::vector<Tensor> results = static_cast<Function*>(ctx)->backward(
          detail::borrow_all(saved, saved_count), detail::borrow_all(grads, out_count));
      detail::hand_over(results, grads_in, in_count, "backward");
    });
  };
  f.free_ctx = [](void* ctx) { delete static_cast<Function*>(ctx); };
  std::vector<vissl_tensor*> handles(output_count, nullptr);
  const Tensors list(inputs);
  function.release();  // the host frees it, also when the call fails
  call(autograd_api().apply, &f, list.handles(), std::uint64_t{inputs.size()}, handles.data(),
       std::uint64_t{output_count});
  std::vector<Tensor> out;
  for (vissl_tensor* h : handles) out.push_back(Tensor::own(h));
  return out;
}

namespace detail {

template <class Body, bool... training>
vissl_status run_block(void* body, vissl_tensor* const* in, std::uint64_t, vissl_tensor** out,
                       std::uint64_t, vissl_err* err) noexcept {
  return guarded(err, [&] {
    out[0] = (*static_cast<const Body*>(body))(Tensor::borrow(in[0]), training...).release();
  });
}

inline Tensor block_call(std::string_view name, vissl_block_fn run, const void* body,
                         const Tensor& x) {
  vissl_tensor* input = x.handle();
  vissl_tensor* output = nullptr;
  call(autograd_api().block_call, str(name), run, const_cast<void*>(body), &input, std::uint64_t{1},
       &output, std::uint64_t{1});
  return Tensor::own(output);
}

}  // namespace detail

// Runs `body`: Tensor -> Tensor as the block `name` of a trunk. `body` is called again when the
// block is recomputed, so it must be an object that stays where it is as long as the trunk lives.
template <class Body>
Tensor block_call(std::string_view name, const Body& body, const Tensor& x) {
  return detail::block_call(name, &detail::run_block<Body>, &body, x);
}

// The same for a body that knows training from evaluation, (Tensor, bool training) -> Tensor.
template <class Body>
Tensor block_call(std::string_view name, const Body& body, const Tensor& x, bool training) {
  return detail::block_call(
      name, training ? &detail::run_block<Body, true> : &detail::run_block<Body, false>, &body, x);
}

}  // namespace abi1
}  // namespace vissl
