// my_component: an engine, which is what [engine] of a config runs. The splits of [data] and the
// model with its weights are there; everything goes through Run. This one writes the mean length of
// a trunk feature over a split into summary.json.
#include <vissl/engine.hpp>
#include <vissl/plugin.hpp>

#include <string>

namespace {

class MyComponent {
 public:
  static void params(vissl::Params& p) {
    p.string("split", "test", "The split that is looked at, a table of [data].");
    p.string("feature", vissl::required, "A feature of the trunk, such as res5.");
  }
  explicit MyComponent(const vissl::Config& c)
      : split_(c.string("split")), feature_(c.string("feature")) {}

  void run(vissl::Run& run) const {
    double sum = 0;
    std::int64_t rows = 0;
    vissl::Pass pass;
    pass.split = split_;
    pass.features = {feature_};
    run.pass(pass, [&](const vissl::PassBatch& batch) {
      const vissl::Tensor x = batch.outputs[0].flatten(1);
      sum += vissl::sum(vissl::sqrt(vissl::sum(x * x, 1))).item<double>();
      rows += static_cast<std::int64_t>(batch.rows);
    });
    if (rows == 0) vissl::fail("the split '" + split_ + "' is empty");
    run.summary("mean_length", sum / static_cast<double>(rows));
    run.info("mean length of " + feature_ + ": " + std::to_string(sum / static_cast<double>(rows)));
  }

 private:
  std::string split_, feature_;
};

}  // namespace

VISSL_ENGINE(MyComponent, "my_component", "Mean length of a feature.")
VISSL_PLUGIN("example.my_component", "0.1.0")
