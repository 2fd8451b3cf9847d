// Its momentum lives in the instance, so a resume starts without it.
#include <map>

#include <vissl/optimizer.hpp>
using namespace vissl;
struct Broken {
  std::map<std::uint64_t, Tensor> momentum;
  std::vector<Hyper> hypers() const { return {{"lr"}}; }
  void step(const OptCall& call) {
    for (const OptGroup& group : call.groups())
      for (const OptParam& p : group.params()) {
        Tensor& m = momentum[p.id()];
        m = m ? m * 0.9 + p.grad() : p.grad() * 1.0;
        p.param().sub_(m, group.hyper(0));
      }
  }
};
VISSL_OPTIMIZER(Broken, "optimizer_hides_momentum", "Forgets at a resume.")
VISSL_PLUGIN("org.example.optimizer_hides_momentum", "1.0.0")
