#include "host/runtime/device/upload.hpp"

#include <ATen/core/Tensor.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <utility>

namespace vissl::host {

Upload::Upload(const Settings& settings) : settings_(settings) {
  if (settings_.ahead && settings_.device.is_cuda())
    side_ = c10::impl::VirtualGuardImpl(settings_.device.type())
                .getStreamFromGlobalPool(settings_.device);
}

Upload::~Upload() {
  if (side_ && (!begun_.empty() || !taken_.empty())) side_->synchronize();
}

Fields Upload::copy(const std::shared_ptr<Batch>& batch, bool wait) const {
  return fields_of(batch, settings_.device, settings_.dtype, settings_.channels_last, wait);
}

void Upload::begin(const std::shared_ptr<Batch>& batch) {
  drop_done();
  Copy& copied = begun_.emplace_back(Copy{batch, {}, {}});
  if (!side_) {
    copied.fields = copy(batch, true);
    return;
  }
  const c10::StreamGuard guard(*side_);
  copied.fields = copy(batch, false);
  copied.done.emplace(side_->device_type());
  copied.done->record(*side_);
}

Fields Upload::take(const std::shared_ptr<Batch>& batch) {
  // A batch that was begun and never asked for belongs to a phase that was left.
  while (!begun_.empty() && begun_.front().batch != batch) {
    taken_.push_back(std::move(begun_.front()));
    begun_.pop_front();
  }
  if (begun_.empty()) return copy(batch, true);
  Copy copied = std::move(begun_.front());
  begun_.pop_front();
  Fields fields = std::move(copied.fields);
  if (!copied.done) return fields;
  const c10::Stream computing =
      c10::impl::VirtualGuardImpl(settings_.device.type()).getStream(settings_.device);
  copied.done->block(computing);
  // The side stream owns the memory: it must not give it to a later copy while this one is used.
  for (const Fields::Field& field : fields.all())
    for (const at::Tensor& tensor : field.tensors) tensor.record_stream(computing);
  taken_.push_back(std::move(copied));
  return fields;
}

void Upload::drop_done() {
  while (!taken_.empty() && (!taken_.front().done || taken_.front().done->query()))
    taken_.pop_front();
}

std::shared_ptr<Batch> Delivery::fetch() {
  std::shared_ptr<Batch> batch = phase_.next();
  if (batch) upload_.begin(batch);
  return batch;
}

std::shared_ptr<Batch> Delivery::next() {
  if (!upload_.ahead()) return phase_.next();
  if (!std::exchange(started_, true)) following_ = fetch();
  std::shared_ptr<Batch> batch = std::move(following_);
  following_ = batch ? fetch() : nullptr;
  return batch;
}

}  // namespace vissl::host
