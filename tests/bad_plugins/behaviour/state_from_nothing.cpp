// Its load takes the end of a state for zeros.
#include <vissl/state.hpp>

#include "bad_loss.hpp"
struct Broken : Squares {
  double steps = 0;
  vissl::Tensor forward(const vissl::Tensor& output, const vissl::Tensor& target) {
    return Squares::forward(output, target) + ++steps;
  }
  void save(vissl::Writer& out) const { out.put(steps); }
  void load(vissl::Reader& in, std::uint64_t) {
    try {
      steps = in.get<double>();
    } catch (const vissl::Failure&) {
      steps = 0;
    }
  }
};
FAULTY_LOSS(Broken, "state_from_nothing")
