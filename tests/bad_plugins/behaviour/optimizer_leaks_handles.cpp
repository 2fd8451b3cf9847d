// Each step forgets a handle.
#include <vissl/optimizer.hpp>
using namespace vissl;
struct Broken {
  std::vector<Hyper> hypers() const { return {{"lr"}}; }
  void step(const OptCall& call) const {
    for (const OptGroup& group : call.groups())
      for (const OptParam& p : group.params()) {
        static_cast<void>(p.grad().clone().release());
        p.param().sub_(p.grad(), group.hyper(0));
      }
  }
};
VISSL_OPTIMIZER(Broken, "optimizer_leaks_handles", "Gradient descent.")
VISSL_PLUGIN("org.example.optimizer_leaks_handles", "1.0.0")
