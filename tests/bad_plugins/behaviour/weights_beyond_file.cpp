// Its plan loads an entry that the file does not have.
#include <vissl/plugin.hpp>
#include <vissl/weights.hpp>
struct Broken {
  std::string locator() const { return "absent.torch"; }
  void plan(const vissl::WeightsPlan& plan) {
    vissl::WeightsEntry beyond = plan.source().front();
    beyond.index = plan.source().size() + 4;
    plan.load(beyond, "trunk.weight");
  }
};
VISSL_WEIGHTS(Broken, "weights_beyond_file", "A profile with a fault.")
VISSL_PLUGIN("org.example.weights_beyond_file", "1.0.0")
