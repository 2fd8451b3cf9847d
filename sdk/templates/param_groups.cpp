// my_component: parameter groups, which decide with what hyper-parameters each parameter is
// trained. Biases and the parameters of norms have no weight decay; all others follow the config.
#include <vissl/param_groups.hpp>
#include <vissl/plugin.hpp>

namespace {

struct MyComponent {
  void assign(const vissl::ParamGroupsCall& call) const {
    const auto decayed = call.add("decayed"), plain = call.add("plain");
    call.constant(plain, "weight_decay", 0.0);
    for (const vissl::Param& p : call.params()) {
      if (!p.trainable) continue;
      const bool weight = p.role == VISSL_ROLE_WEIGHT && p.module != VISSL_MODULE_BATCH_NORM &&
                          p.module != VISSL_MODULE_LAYER_NORM;
      call.assign(p, weight ? decayed : plain);
    }
  }
};

}  // namespace

VISSL_PARAM_GROUPS(MyComponent, "my_component", "Biases and norms without weight decay.")
VISSL_PLUGIN("example.my_component", "0.1.0")
