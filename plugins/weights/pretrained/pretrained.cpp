// The weights component `pretrained`: reads checkpoints of this project, of VISSL, and of the
// systems that profile names.
#include "convert.hpp"
#include "profile.hpp"

using namespace vissl;

namespace {

class Pretrained {
 public:
  static void params(Params& p) { pretrained::Settings::params(p); }
  explicit Pretrained(const Config& c) : settings_(c) {}

  std::string locator() const { return settings_.locator; }

  void plan(const WeightsPlan& plan) {
    using pretrained::System;
    recipes_.clear();
    if (settings_.system == System::vissl || settings_.system == System::vissl_0_1_6)
      pretrained::plan_vissl(settings_, plan, recipes_);
    else if (settings_.system == System::autodetect)
      pretrained::plan_auto(settings_, plan, recipes_);
    else
      pretrained::plan_system(settings_, plan, recipes_);
  }

  Tensor adapt(std::uint64_t recipe, const std::vector<Tensor>& from, const WeightsEntry&) {
    return pretrained::evaluate(*recipes_.at(static_cast<std::size_t>(recipe)), from);
  }

  void rename(const WeightsRenames& renames) { pretrained::convert(renames); }

 private:
  pretrained::Settings settings_;
  pretrained::Recipes recipes_;
};

}  // namespace

VISSL_WEIGHTS(Pretrained, "pretrained",
              "Weights of this project's, VISSL's, timm's, mmcv's and other checkpoints.")
VISSL_PLUGIN("org.vissl.weights.pretrained", "1.1.0")
