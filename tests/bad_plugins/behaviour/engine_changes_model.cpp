// It evaluates a model and leaves it changed.
#include <vissl/engine.hpp>
#include <vissl/plugin.hpp>
struct Broken {
  void run(vissl::Run& run) const {
    for (const vissl::Param& param : run.params()) {
      vissl::Tensor tensor = param.tensor.detach();
      tensor.zero_();
    }
  }
};
VISSL_ENGINE(Broken, "engine_changes_model", "Looks at the model.")
VISSL_PLUGIN("org.example.engine_changes_model", "1.0.0")
