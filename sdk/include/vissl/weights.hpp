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
// Entries that a plan does not mention stay unused and are reported. Optional:
//   std::string locator() const          the file's place; default: the parameter params_file
//   Tensor adapt(std::uint64_t recipe, const std::vector<Tensor>& from, const WeightsEntry& target)
//                                        makes what the plan's compute() announced
//   void rename(const WeightsRenames& renames)
//                                        gives a file's tensors another system's names
#include <vissl/run.h>
#include <vissl/weights.h>
#include <vissl/state.hpp>
#include <vissl/tensor.hpp>

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

namespace detail {
inline WeightsEntry entry_of(const vissl_weights_entry& entry, std::uint64_t index) {
  return {
      std::string(view(entry.name)), entry.dtype, {entry.shape, entry.shape + entry.ndim}, index};
}
}  // namespace detail

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
  // The target becomes what adapt(recipe, …) makes of these entries; `what` is for the report.
  void compute(const std::vector<const WeightsEntry*>& from, std::string_view target,
               std::uint64_t recipe, std::string_view what) const {
    std::vector<std::uint64_t> list;
    for (const WeightsEntry* entry : from) list.push_back(entry->index);
    sink_->compute(sink_->self, list.data(), list.size(), str(target), recipe, str(what));
  }
  // A line that another system's users know. Shown once for all ranks.
  // `level`: VISSL_LOG_INFO …
  void message(std::uint32_t level, std::string_view line) const {
    sink_->message(sink_->self, level, str(line));
  }

 private:
  static std::vector<WeightsEntry> entries(const vissl_weights_entry* from, std::uint64_t count) {
    std::vector<WeightsEntry> list;
    list.reserve(static_cast<std::size_t>(count));
    for (std::uint64_t i = 0; i < count; ++i) {
      list.push_back(detail::entry_of(*VISSL_AT(vissl_weights_entry, from, i), i));
    }
    return list;
  }
  std::vector<WeightsEntry> source_, targets_;
  const vissl_weights_sink* sink_;
};

// What vissl-host convert asks for, and where the answer goes.
class WeightsRenames {
 public:
  WeightsRenames(const vissl_weights_rename_request* request, const vissl_weights_rename_sink* sink)
      : request_(request), sink_(sink) {
    for (std::uint64_t i = 0; i < request->source_count; ++i)
      source_.push_back(detail::entry_of(*VISSL_AT(vissl_weights_entry, request->source, i), i));
  }

  const std::vector<WeightsEntry>& source() const { return source_; }
  std::string to() const { return std::string(view(request_->to)); }
  std::string from() const { return std::string(view(request_->from)); }
  std::string part() const { return std::string(view(request_->part)); }
  std::string container() const { return std::string(view(request_->container)); }
  int depth() const { return static_cast<int>(request_->depth); }  // 0 = any
  bool has(std::uint32_t flag) const { return (request_->flags & flag) != 0; }

  // `place`: nested dicts, or ""; `change`: 0 or VISSL_WEIGHTS_REVERSE_CHANNELS.
  void keep(const WeightsEntry& entry, std::string_view place, std::string_view name,
            std::uint32_t change = 0) const {
    sink_->keep(sink_->self, entry.index, str(place), str(name), change);
  }
  void drop(const WeightsEntry& entry, std::string_view reason) const {
    sink_->drop(sink_->self, entry.index, str(reason));
  }
  // A further tensor, of the same type and shape as `like`.
  void fill(const WeightsEntry& like, std::string_view place, std::string_view name,
            double value) const {
    sink_->fill(sink_->self, like.index, str(place), str(name), value);
  }
  void text(std::string_view name, std::string_view value) const {
    sink_->text(sink_->self, str(name), str(value));
  }
  void flag(std::string_view name, bool value) const {
    sink_->flag(sink_->self, str(name), value ? 1 : 0);
  }
  void message(std::uint32_t level, std::string_view line) const {
    sink_->message(sink_->self, level, str(line));
  }

 private:
  const vissl_weights_rename_request* request_;
  const vissl_weights_rename_sink* sink_;
  std::vector<WeightsEntry> source_;
};

namespace detail {

template <class T, class = void>
struct HasRename : std::false_type {};
template <class T>
struct HasRename<
    T, std::void_t<decltype(std::declval<T&>().rename(std::declval<const WeightsRenames&>()))>>
    : std::true_type {};
template <class T, class = void>
struct HasLocator : std::false_type {};
template <class T>
struct HasLocator<T, std::void_t<decltype(std::declval<const T&>().locator())>> : std::true_type {};
template <class T, class = void>
struct HasAdapt : std::false_type {};
template <class T>
struct HasAdapt<T, std::void_t<decltype(std::declval<T&>().adapt(
                       std::uint64_t{}, std::declval<const std::vector<Tensor>&>(),
                       std::declval<const WeightsEntry&>()))>> : std::true_type {};

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
  static vissl_status locator(void* instance, const vissl_out* out, vissl_err* err) noexcept {
    return guarded(err, [&] {
      if constexpr (HasLocator<T>::value) {
        const std::string text = static_cast<const T*>(instance)->locator();
        Writer(out).write(text.data(), text.size());
      }
    });
  }
  static vissl_status adapt(void* instance, std::uint64_t recipe, vissl_tensor* const* sources,
                            std::uint64_t count, const vissl_weights_entry* target,
                            vissl_tensor** out, vissl_err* err) noexcept {
    return guarded(err, [&] {
      if constexpr (HasAdapt<T>::value) {
        std::vector<Tensor> tensors;
        for (std::uint64_t i = 0; i < count; ++i) tensors.push_back(Tensor::borrow(sources[i]));
        Tensor made = static_cast<T*>(instance)->adapt(recipe, tensors, entry_of(*target, 0));
        *out = made.release();
      }
    });
  }
  static vissl_status rename(void* instance, const vissl_weights_rename_request* request,
                             const vissl_weights_rename_sink* sink, vissl_err* err) noexcept {
    return guarded(err, [&] {
      if constexpr (HasRename<T>::value)
        static_cast<T*>(instance)->rename(WeightsRenames(request, sink));
    });
  }
  static constexpr vissl_weights_profile_class kTable = {sizeof(vissl_weights_profile_class),
                                                         &create<T>,
                                                         &destroy<T>,
                                                         &plan,
                                                         HasLocator<T>::value ? &locator : nullptr,
                                                         HasAdapt<T>::value ? &adapt : nullptr,
                                                         HasRename<T>::value ? &rename : nullptr};
};

}  // namespace detail
}  // namespace abi1
}  // namespace vissl

#define VISSL_WEIGHTS(Type, name, sentence)                                                   \
  VISSL_COMPONENT(Type, VISSL_WEIGHTS_PROFILE_ID, ::vissl::detail::WeightsKind<Type>::kTable, \
                  "weights/" name "/" sentence)
