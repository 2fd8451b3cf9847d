// Its load reads the state and drops it.
#include <vissl/state.hpp>

#include "bad_loss.hpp"
struct Broken : Squares {
  double steps = 0;
  vissl::Tensor forward(const vissl::Tensor& output, const vissl::Tensor& target) {
    return Squares::forward(output, target) + ++steps;
  }
  void save(vissl::Writer& out) { out.put(steps); }
  void load(vissl::Reader& in, std::uint64_t) { static_cast<void>(in.get<double>()); }
};
FAULTY_LOSS(Broken, "state_load_ignores")
