// my_component: a weights profile, which says what tensor of a file goes where in the model. The
// host shows it all names and shapes, checks the plan, and writes nothing before it is complete.
// This one puts "trunk." before the file's names and leaves heads as they were initialised.
#include <vissl/plugin.hpp>
#include <vissl/weights.hpp>

#include <string>

namespace {

struct MyComponent {
  std::string prefix;

  static void params(vissl::Params& p) {
    p.path("params_file", vissl::required, "The weights file.");
    p.string("prefix", "trunk.", "Put before each name of the file.");
  }
  explicit MyComponent(const vissl::Config& c) : prefix(c.string("prefix")) {}

  void plan(const vissl::WeightsPlan& plan) const {
    for (const vissl::WeightsEntry& entry : plan.source()) {
      const std::string target = prefix + entry.name;
      if (plan.find_target(target) != nullptr) {
        plan.load(entry, target);
      } else {
        plan.ignore(entry, "the model has no '" + target + "'");
      }
    }
    for (const vissl::WeightsEntry& target : plan.targets()) {
      if (target.name.rfind("heads.", 0) == 0) plan.skip_target(target.name, "is trained anew");
    }
  }
};

}  // namespace

VISSL_WEIGHTS(MyComponent, "my_component", "A state dict of the trunk alone.")
VISSL_PLUGIN("example.my_component", "0.1.0")
