#pragma once
// Kind weights: a profile that tells which tensor of a file goes where. Nothing is written before
// the plan is complete. [main]
//
//   struct Torchvision {
//     void plan(const WeightsPlan& plan) {
//       for (const WeightsEntry& entry : plan.source()) plan.load(entry, "trunk." + entry.name);
//     }
//   };
//   VISSL_WEIGHTS(Torchvision, "torchvision", "Names of torchvision's models.")
//
// Entries that a plan does not mention stay unused and are reported.
#include <vissl/weights.h>
#include <vissl/extensions.hpp>

#include <string>
#include <vector>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

struct WeightsEntry {
  std::string
      name;  // of the file: full dotted path; of the model: "trunk._feature_blocks.conv1.weight"
  vissl_dtype dtype;
  std::vector<std::int64_t> shape;
  std::uint64_t index;  // its number in source() or targets()
};

class WeightsPlan {
 public:
  WeightsPlan(const vissl_weights_entry* source, std::uint64_t source_count,
              const vissl_weights_entry* targets, std::uint64_t target_count,
              const vissl_weights_sink* sink)
      : source_(entries(source, source_count)),
        targets_(entries(targets, target_count)),
        sink_(sink) {}

  const std::vector<WeightsEntry>& source() const { return source_; }
  const std::vector<WeightsEntry>& targets() const { return targets_; }
  // The target of that name, or NULL.
  const WeightsEntry* find_target(std::string_view name) const {
    for (const WeightsEntry& target : targets_) {
      if (target.name == name) return &target;
    }
    return nullptr;
  }
  void load(const WeightsEntry& entry, std::string_view target) const {
    sink_->load(sink_->self, entry.index, str(target));
  }
  void ignore(const WeightsEntry& entry, std::string_view reason) const {
    sink_->ignore(sink_->self, entry.index, str(reason));
  }
  // The target stays as it was initialised, on purpose.
  void skip_target(std::string_view target, std::string_view reason) const {
    sink_->skip_target(sink_->self, str(target), str(reason));
  }

 private:
  static std::vector<WeightsEntry> entries(const vissl_weights_entry* from, std::uint64_t count) {
    std::vector<WeightsEntry> list;
    list.reserve(static_cast<std::size_t>(count));
    for (std::uint64_t i = 0; i < count; ++i) {
      const vissl_weights_entry& entry = *VISSL_AT(vissl_weights_entry, from, i);
      list.push_back(
          {std::string(view(entry.name)), entry.dtype, {entry.shape, entry.shape + entry.ndim}, i});
    }
    return list;
  }
  std::vector<WeightsEntry> source_, targets_;
  const vissl_weights_sink* sink_;
};

namespace detail {

template <class T>
struct WeightsKind {
  static vissl_status plan(void* instance, const vissl_weights_entry* source,
                           std::uint64_t source_count, const vissl_weights_entry* targets,
                           std::uint64_t target_count, const vissl_weights_sink* sink,
                           vissl_err* err) noexcept {
    return guarded(err, [&] {
      static_cast<T*>(instance)->plan(
          WeightsPlan(source, source_count, targets, target_count, sink));
    });
  }
  static constexpr vissl_weights_profile_class kTable = {sizeof(vissl_weights_profile_class),
                                                         &create<T>, &destroy<T>, &plan};
};

}  // namespace detail
}  // namespace abi1
}  // namespace vissl

#define VISSL_WEIGHTS(Type, name, sentence)                                                   \
  VISSL_COMPONENT(Type, VISSL_WEIGHTS_PROFILE_ID, ::vissl::detail::WeightsKind<Type>::kTable, \
                  "weights/" name "/" sentence)
