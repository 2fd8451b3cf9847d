// It steps along a copy of each parameter.
#include <vissl/optimizer.hpp>
using namespace vissl;
struct Broken {
  std::vector<Hyper> hypers() const { return {{"lr"}}; }
  void step(const OptCall& call) const {
    for (const OptGroup& group : call.groups())
      for (const OptParam& p : group.params()) p.param().clone().sub_(p.grad(), group.hyper(0));
  }
};
VISSL_OPTIMIZER(Broken, "optimizer_stands_still", "Trains nothing.")
VISSL_PLUGIN("org.example.optimizer_stands_still", "1.0.0")
