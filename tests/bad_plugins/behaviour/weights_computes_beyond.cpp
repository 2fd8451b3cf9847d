// It computes a tensor from an entry that the file does not have.
#include <vissl/plugin.hpp>
#include <vissl/weights.hpp>
struct Broken {
  std::string locator() const { return "absent.torch"; }
  void plan(const vissl::WeightsPlan& plan) {
    vissl::WeightsEntry beyond = plan.source().front();
    beyond.index = plan.source().size() + 4;
    plan.compute({&beyond}, "trunk.weight", 0, "half of it");
  }
};
VISSL_WEIGHTS(Broken, "weights_computes_beyond", "A profile with a fault.")
VISSL_PLUGIN("org.example.weights_computes_beyond", "1.0.0")
