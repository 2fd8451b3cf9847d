// Trains epoch by epoch, and measures a feature of the train split when that is over.
#include <vissl/engine.hpp>
#include <vissl/plugin.hpp>

#include <string>

using namespace vissl;

namespace {

class Trainer {
 public:
  static constexpr bool trains = true;
  static void params(Params& p) { p.string("feature", "map", "Of the trunk."); }
  explicit Trainer(const Config& c) : feature_(c.string("feature")) {}

  void run(Run& run) const {
    double calls = 1;
    while (run.train(1) == Progress::more) ++calls;
    double sum = 0;
    Pass pass;
    pass.split = "train";
    pass.features = {feature_};
    run.pass(pass, [&](const PassBatch& batch) {
      sum += batch.outputs[0].abs().sum().item<double>() / static_cast<double>(batch.rows);
    });
    run.summary("golden_calls", calls);
    run.summary("golden_length", sum);
    run.info("the golden engine is done");
  }

 private:
  std::string feature_;
};

}  // namespace

VISSL_ENGINE(Trainer, "golden_trainer", "Trains, then measures.")
VISSL_PLUGIN("org.vissl.golden.engine", "1.0.0")
