#pragma once
// Kind param_groups: which parameter is trained with which hyper-parameters.
//
//   struct OneGroup {
//     void assign(const ParamGroupsCall& call) {
//       const auto group = call.add("all");
//       call.constant(group, "weight_decay", call.optimizer().number("weight_decay"));
//       for (const Param& p : call.params()) if (p.trainable) call.assign(p, group);
//     }
//   };
//   VISSL_PARAM_GROUPS(OneGroup, "single", "All parameters in one group.")
//
// A hyper-parameter that a group does not set follows the schedule of its own name. A parameter
// without group is not trained. [main]
#include <vissl/optimizer.h>
#include <vissl/events.hpp>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

class ParamGroupsCall {
 public:
  ParamGroupsCall(const vissl_param_info* params, std::uint64_t count, const vissl_value* optimizer,
                  const vissl_group_sink* sink)
      : optimizer_(optimizer), sink_(sink) {
    params_.reserve(static_cast<std::size_t>(count));
    for (std::uint64_t i = 0; i < count; ++i) {
      params_.push_back(detail::to_param(*VISSL_AT(vissl_param_info, params, i), i));
    }
  }
  const std::vector<Param>& params() const { return params_; }  // in store order
  const Config& optimizer() const { return optimizer_; }        // the table [optimizer]

  using Group = std::uint64_t;
  Group add(std::string_view name) const { return sink_->add(sink_->self, str(name)); }
  void constant(Group group, std::string_view hyper, double value) const {
    sink_->constant(sink_->self, group, str(hyper), value);
  }
  // The hyper-parameter follows optimizer.param_schedulers.<schedule>, times `factor`.
  void schedule(Group group, std::string_view hyper, std::string_view schedule,
                double factor = 1.0) const {
    sink_->schedule(sink_->self, group, str(hyper), str(schedule), factor);
  }
  void assign(const Param& param, Group group) const {
    sink_->assign(sink_->self, param.index, group);
  }

 private:
  std::vector<Param> params_;
  Config optimizer_;
  const vissl_group_sink* sink_;
};

namespace detail {

template <class T>
struct ParamGroupsKind {
  static vissl_status assign(void* instance, const vissl_param_info* params, std::uint64_t count,
                             const vissl_value* optimizer, const vissl_group_sink* sink,
                             vissl_err* err) noexcept {
    return guarded(err, [&] {
      static_cast<T*>(instance)->assign(ParamGroupsCall(params, count, optimizer, sink));
    });
  }
  static constexpr vissl_param_groups_class kTable = {sizeof(vissl_param_groups_class), &create<T>,
                                                      &destroy<T>, &assign};
};

}  // namespace detail
}  // namespace abi1
}  // namespace vissl

#define VISSL_PARAM_GROUPS(Type, name, sentence)                                               \
  VISSL_COMPONENT(Type, VISSL_PARAM_GROUPS_ID, ::vissl::detail::ParamGroupsKind<Type>::kTable, \
                  "param_groups/" name "/" sentence)
