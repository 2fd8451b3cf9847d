#pragma once
// Components inside components: a composite schedule, RandomApply over transforms. The inner ones
// were declared with Params::component or components, so the host has checked their configs. [main]
// in a constructor
//
//   explicit Composite(const Config& c) {
//     for (const Config& inner : c.list("schedulers")) schedulers_.emplace_back(inner);
//   }
//   std::vector<InnerSchedule> schedulers_;
#include <vissl/components.h>
#include <vissl/lr_schedule.hpp>
#include <vissl/transform.hpp>

#include <utility>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

// Owns one instance of a component of another kind, whose class table is `Table` (vissl_loss_class
// …).
template <class Table>
class Inner {
 public:
  // `config`: a table with `name`.
  Inner(std::string_view kind, const Config& config) {
    const void* table = nullptr;
    call(service<vissl_components_api>(VISSL_COMPONENTS_ID).create, str(kind), config.handle(),
         &table, &instance_);
    table_ = static_cast<const Table*>(table);
  }
  Inner(Inner&& other) noexcept
      : table_(other.table_), instance_(std::exchange(other.instance_, nullptr)) {}
  Inner& operator=(Inner&& other) noexcept {
    std::swap(table_, other.table_);
    std::swap(instance_, other.instance_);
    return *this;
  }
  ~Inner() {
    if (instance_ != nullptr) table_->destroy(instance_);
  }
  const Table& table() const { return *table_; }
  void* instance() const { return instance_; }

 private:
  const Table* table_ = nullptr;
  void* instance_ = nullptr;
};

class InnerSchedule : public Inner<vissl_lr_schedule_class> {
 public:
  explicit InnerSchedule(const Config& config) : Inner("lr_schedule", config) {}
  double value(const ScheduleAt& at) const {
    double out = 0;
    call(table().value, instance(), &at, &out);
    return out;
  }
  bool can_rescale() const { return table().rescale != nullptr; }
  void rescale(double factor, double ramp_from) {
    if (!can_rescale()) fail(VISSL_E_CONFIG, "a schedule inside does not support auto_lr_scaling");
    call(table().rescale, instance(), factor, ramp_from);
  }
};

class InnerTransform : public Inner<vissl_transform_class> {
 public:
  explicit InnerTransform(const Config& config) : Inner("transform", config) {}
  // One image, with that view's stream. Transforms of whole samples are refused.
  void apply(Image& image, vissl_rng& stream) {
    if (table().apply_image == nullptr) {
      fail(VISSL_E_CONFIG, "only transforms of single images can stand inside another transform");
    }
    call(table().apply_image, instance(), image.handle(), &stream);
  }
};

}  // namespace abi1
}  // namespace vissl
