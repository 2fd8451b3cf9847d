#include "host/runtime/abi/blocks.hpp"

#include <exception>

#include "host/runtime/abi/context.hpp"
#include "host/runtime/abi/handle.hpp"

namespace vissl::host {

void BlockListeners::add(Instance& instance, const std::string& place) {
  const auto* table = static_cast<const vissl_blocks_class*>(instance.extension(VISSL_BLOCKS_ID));
  if (table != nullptr) listeners_.push_back({table, instance.self(), place});
}

BlockListeners& block_listeners() {
  static BlockListeners listeners;
  return listeners;
}

BlockVisit::BlockVisit(const std::string& name, std::uint32_t recompute,
                       const std::vector<at::Tensor>& inputs)
    : name_(name) {
  const auto& listeners = block_listeners().listeners_;
  if (listeners.empty()) return;
  const std::vector<vissl_tensor*> handles = borrow_all(inputs);
  block_ = {
      sizeof(vissl_block), str(name_),     forward_mode().model, forward_mode().training ? 1u : 0u,
      recompute,           handles.data(), handles.size()};
  for (const auto& listener : listeners) {
    ErrorSink sink;
    const vissl_status status = listener.table->enter(listener.self, &block_, sink.get());
    if (status != VISSL_OK) leave_all({}, true);
    sink.check(status, listener.place + " before block " + name_);
    ++entered_;
  }
}

BlockVisit::~BlockVisit() {
  leave_all({}, true);
}

void BlockVisit::leave(const std::vector<at::Tensor>& outputs) {
  leave_all(outputs, false);
}

void BlockVisit::leave_all(const std::vector<at::Tensor>& outputs, bool quiet) {
  const std::vector<vissl_tensor*> handles = borrow_all(outputs);
  block_.tensors = handles.data();
  block_.count = handles.size();
  std::exception_ptr first;
  const auto& listeners = block_listeners().listeners_;
  while (entered_ > 0) {
    const auto& listener = listeners[--entered_];
    ErrorSink sink;
    const vissl_status status = listener.table->leave(listener.self, &block_, sink.get());
    try {
      sink.check(status, listener.place + " after block " + name_);
    } catch (const Error&) {
      if (!first) first = std::current_exception();
    }
  }
  if (first && !quiet) std::rethrow_exception(first);
}

}  // namespace vissl::host
