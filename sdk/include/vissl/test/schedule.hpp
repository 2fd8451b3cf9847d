#pragma once
// Calls an lr_schedule, and lets components create inner ones ("vissl.components/1").
#include <vissl/components.h>
#include <vissl/lr_schedule.h>
#include <vissl/test/host.hpp>

#include <cmath>

namespace vissl {
namespace test VISSL_HIDDEN {

class Schedule {
 public:
  Schedule(Instance instance) : instance_(std::move(instance)) {}
  double value(double where, std::int64_t epoch = 0, std::int64_t num_epochs = 1) const {
    const vissl_schedule_at at = {sizeof(vissl_schedule_at), where, epoch, num_epochs};
    double out = 0;
    vissl::call(table().value, instance_.handle(), &at, &out);
    return out;
  }
  bool can_rescale() const { return table().rescale != nullptr; }
  void rescale(double factor, double ramp_from = std::nan("")) const {
    vissl::call(table().rescale, instance_.handle(), factor, ramp_from);
  }

 private:
  const vissl_lr_schedule_class& table() const {
    return instance_.table<vissl_lr_schedule_class>(VISSL_LR_SCHEDULE_ID);
  }
  Instance instance_;
};

inline const vissl_components_api& components_service() {
  static const vissl_components_api api = {
      sizeof(vissl_components_api),
      [](vissl_str kind, const vissl_value* config, const void** table, void** instance,
         vissl_err* err) {
        return guarded(err, [&] {
          const Node& node = Node::of(config);
          const Node* name = node.find("name");
          if (name == nullptr) fail(VISSL_E_CONFIG, node.where + ": a component needs a 'name'");
          const Component& inner = HostCore::current()->component(view(kind), name->text);
          *table = inner.descriptor->table;
          // The first slots of every class table are size, create, destroy.
          const auto* common = static_cast<const vissl_lr_schedule_class*>(*table);
          vissl::call(common->create, config, instance);
        });
      },
      [](vissl_str kind, const vissl_value* config, vissl_str id) -> const void* {
        const Node* name = Node::of(config).find("name");
        const Component* inner =
            name != nullptr ? HostCore::current()->find(view(kind), name->text) : nullptr;
        if (inner == nullptr || inner->descriptor->get_extension == nullptr) return nullptr;
        return inner->descriptor->get_extension(id);
      }};
  return api;
}

}  // namespace test
}  // namespace vissl
