// Each plan leads the same entry to another tensor.
#include <vissl/plugin.hpp>
#include <vissl/weights.hpp>
struct Broken {
  int plans = 0;
  std::string locator() const { return "absent.torch"; }
  void plan(const vissl::WeightsPlan& plan) {
    plan.load(plan.source().front(), "heads." + std::to_string(plans++) + ".weight");
  }
};
VISSL_WEIGHTS(Broken, "weights_plans_anew", "A profile with a fault.")
VISSL_PLUGIN("org.example.weights_plans_anew", "1.0.0")
