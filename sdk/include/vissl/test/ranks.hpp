#pragma once
// Several ranks in one process, without threads ("vissl.collectives/1"), and the fake autograd
// service.
//
//   std::vector<Tensor> losses = test::on_ranks(host.run, 2, [&](int rank) { …; return loss; });
//
// The body runs rank after rank, round after round; a collective answers with what the other ranks
// sent in the round before, until nothing changes any more. So the body must start from a fresh
// instance and check nothing itself.
#include <vissl/autograd.hpp>
#include <vissl/collectives.hpp>
#include <vissl/test/run_state.hpp>

namespace vissl {
namespace test VISSL_HIDDEN {

class Communicator {
 public:
  struct Message {
    std::string call;
    Shape shape;
    Values values;
    Shape send;  // rows per rank, of all_to_all
    bool operator==(const Message& o) const {
      return call == o.call && shape == o.shape && values == o.values && send == o.send;
    }
  };
  using Log = std::vector<Message>;

  static Communicator& current() {
    static Communicator communicator;
    return communicator;
  }
  std::int64_t rank = 0, world = 1;
  std::vector<Log> before{1}, now{1};  // per rank

  // Notes what this rank sends; returns what every rank sent in the same call.
  std::vector<Message> exchange(Message message) {
    const auto me = static_cast<std::size_t>(rank);
    const std::size_t number = now[me].size();
    now[me].push_back(message);
    std::vector<Message> all;
    for (std::size_t r = 0; r < static_cast<std::size_t>(world); ++r) {
      const bool known = r != me && number < before[r].size();
      if (known && before[r][number].call != message.call) {
        fail(VISSL_E_DISTRIBUTED, "rank " + std::to_string(rank) + " calls " + message.call +
                                      " where rank " + std::to_string(r) + " calls " +
                                      before[r][number].call);
      }
      all.push_back(known ? before[r][number] : message);
    }
    return all;
  }
  void reset(std::int64_t ranks) {
    rank = 0;
    world = ranks;
    before.assign(static_cast<std::size_t>(ranks), {});
    now = before;
  }
};

template <class Body>
std::vector<Tensor> on_ranks(RunState& run, std::int64_t world, Body body) {
  constexpr int kMostRounds =
      20;  // one more than the collectives of a body that depend on each other
  Communicator& communicator = Communicator::current();
  communicator.reset(world);
  std::vector<Tensor> results;
  bool settled = false;
  for (int round = 0; !settled && round < kMostRounds; ++round) {
    results.clear();
    communicator.now.assign(static_cast<std::size_t>(world), {});
    for (std::int64_t r = 0; r < world; ++r) {
      communicator.rank = run.facts.rank = r;
      run.facts.world = world;
      results.push_back(body(static_cast<int>(r)));
    }
    settled = communicator.now == communicator.before;
    communicator.before = communicator.now;
  }
  communicator.reset(1);
  run.facts.rank = 0;
  run.facts.world = 1;
  if (!settled) report_failure("the ranks did not come to a fixed point");
  return results;
}

namespace detail {

inline Communicator::Message message(const char* call, vissl_tensor* t) {
  const Array& a = Engine::current().array(t);
  return {call, a.sizes, a.values(), {}};
}
inline void all_reduce(vissl_tensor* t, std::uint32_t op) {
  const auto all = Communicator::current().exchange(message("all_reduce", t));
  Values out = all[0].values;
  for (std::size_t r = 1; r < all.size(); ++r) {
    for (std::size_t i = 0; i < out.size(); ++i) {
      const double x = all[r].values[i];
      if (op == VISSL_REDUCE_MAX)
        out[i] = std::max(out[i], x);
      else if (op == VISSL_REDUCE_MIN)
        out[i] = std::min(out[i], x);
      else
        out[i] += x;
    }
  }
  for (double& x : out) x /= op == VISSL_REDUCE_MEAN ? static_cast<double>(all.size()) : 1.0;
  Engine::current().array(t).assign(out);
}
inline Array all_gather(vissl_tensor* t) {
  Communicator::Message own = message("all_gather", t);
  const auto all = Communicator::current().exchange(own);
  Values out;
  for (const Communicator::Message& m : all)
    out.insert(out.end(), m.values.begin(), m.values.end());
  own.shape.at(0) *= static_cast<std::int64_t>(all.size());
  return Array::make(std::move(out), own.shape, Engine::current().array(t).dtype);
}
inline Array all_to_all(vissl_tensor* t, const std::int64_t* send, const std::int64_t* receive) {
  Communicator& ranks = Communicator::current();
  Communicator::Message own = message("all_to_all", t);
  own.send.assign(send, send + ranks.world);
  const std::int64_t width = count_of(own.shape) / std::max<std::int64_t>(own.shape.at(0), 1);
  const auto all = ranks.exchange(own);
  Values out;
  Shape shape = own.shape;
  shape[0] = 0;
  for (std::size_t r = 0; r < all.size(); ++r) {
    std::int64_t first = 0;
    for (std::int64_t j = 0; j < ranks.rank; ++j) first += all[r].send[static_cast<std::size_t>(j)];
    for (std::int64_t i = first * width; i < (first + receive[r]) * width; ++i) {
      const bool there = i < static_cast<std::int64_t>(all[r].values.size());
      out.push_back(there ? all[r].values[static_cast<std::size_t>(i)] : 0.0);
    }
    shape[0] += receive[r];
  }
  return Array::make(std::move(out), shape, Engine::current().array(t).dtype);
}

}  // namespace detail

inline const vissl_collectives_api& collectives_service() {
  static const vissl_collectives_api api = {
      sizeof(vissl_collectives_api),
      [] { return Communicator::current().rank; },
      [] { return Communicator::current().world; },
      [](vissl_tensor* t, std::uint32_t op, vissl_err* err) {
        return guarded(err, [&] { detail::all_reduce(t, op); });
      },
      [](vissl_tensor* t, std::uint32_t, vissl_tensor** out, vissl_err* err) {
        return guarded(err, [&] { *out = Engine::current().give(detail::all_gather(t)); });
      },
      [](vissl_tensor* t, std::int64_t root, vissl_err* err) {
        return guarded(err, [&] {
          const auto all = Communicator::current().exchange(detail::message("broadcast", t));
          Engine::current().array(t).assign(all.at(static_cast<std::size_t>(root)).values);
        });
      },
      [](vissl_tensor* t, const std::int64_t* send, const std::int64_t* receive, vissl_tensor** out,
         vissl_err* err) {
        return guarded(
            err, [&] { *out = Engine::current().give(detail::all_to_all(t, send, receive)); });
      },
      [](vissl_err* err) {
        return guarded(err, [&] { Communicator::current().exchange({"barrier", {}, {}, {}}); });
      },
      [](vissl_tensor* t, std::uint32_t op, vissl_tensor** out, vissl_err* err) {
        return guarded(err, [&] {
          const Array& from = Engine::current().array(t);
          *out = Engine::current().give(Array::make(from.values(), from.sizes, from.dtype));
          detail::all_reduce(*out, op);
        });
      }};
  return api;
}

// The own backward of the last function that was applied: gradients of its inputs for gradients of
// its outputs.
class LastFunction {
 public:
  static LastFunction& current() {
    static LastFunction last;
    return last;
  }
  std::vector<Tensor> backward(const std::vector<Tensor>& grads) const {
    const Tensors list(grads), kept(saved_);
    std::vector<vissl_tensor*> out(input_count_, nullptr);
    vissl::call(function_.backward, function_.ctx, kept.handles(), std::uint64_t{saved_.size()},
                list.handles(), std::uint64_t{grads.size()}, out.data(), std::uint64_t{out.size()});
    std::vector<Tensor> results;
    for (vissl_tensor* t : out) results.push_back(Tensor::own(t));
    return results;
  }
  void apply(const vissl_function& function, vissl_tensor* const* inputs, std::uint64_t input_count,
             vissl_tensor** outputs, std::uint64_t output_count) {
    clear();
    function_ = function;
    input_count_ = static_cast<std::size_t>(input_count);
    constexpr std::size_t kMostSaved = 64;
    std::vector<vissl_tensor*> saved(kMostSaved, nullptr);
    std::uint64_t saved_count = 0;
    vissl::call(function.forward, function.ctx, inputs, input_count, outputs, output_count,
                saved.data(), std::uint64_t{kMostSaved}, &saved_count);
    for (std::uint64_t i = 0; i < saved_count; ++i) {
      saved_.push_back(Tensor::own(saved[static_cast<std::size_t>(i)]));
    }
  }
  void clear() {
    if (function_.free_ctx != nullptr) function_.free_ctx(function_.ctx);
    function_ = {};
    saved_.clear();
  }

 private:
  vissl_function function_ = {};
  std::vector<Tensor> saved_;
  std::size_t input_count_ = 0;
};

inline const vissl_autograd_api& autograd_service() {
  static const vissl_autograd_api api = {
      sizeof(vissl_autograd_api),
      [](const vissl_function* fn, vissl_tensor* const* inputs, std::uint64_t input_count,
         vissl_tensor** outputs, std::uint64_t output_count, vissl_err* err) {
        return guarded(err, [&] {
          LastFunction::current().apply(*fn, inputs, input_count, outputs, output_count);
        });
      },
      [](vissl_str, vissl_block_fn fn, void* ctx, vissl_tensor* const* inputs,
         std::uint64_t input_count, vissl_tensor** outputs, std::uint64_t output_count,
         vissl_err* err) { return fn(ctx, inputs, input_count, outputs, output_count, err); }};
  return api;
}

}  // namespace test
}  // namespace vissl
