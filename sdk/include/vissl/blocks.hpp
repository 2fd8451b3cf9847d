#pragma once
// Acting around the blocks of a trunk. A component of any kind adds
//
//   void enter_block(const Block& block);
//   void leave_block(const Block& block);
//
// With recomputation a block runs twice, the second time inside the backward pass, and is left when
// its backward is done (blocks.h). [main], [engine]
#include <vissl/blocks.h>
#include <vissl/extensions.hpp>
#include <vissl/model.hpp>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

class Block {
 public:
  explicit Block(const vissl_block* raw) : raw_(raw) {}
  std::string_view name() const { return view(raw_->name); }
  Model model() const { return Model(raw_->model); }  // whose block: the run's model or a twin
  bool training() const { return raw_->training != 0; }
  bool first_of_two() const { return raw_->recompute == 1; }
  bool in_backward() const { return raw_->recompute == 2; }
  // Inputs in enter_block, outputs in leave_block; none when the block failed.
  std::vector<Tensor> tensors() const { return detail::borrow_tensors(raw_->tensors, raw_->count); }

 private:
  const vissl_block* raw_;
};

namespace detail {

template <class T>
struct BlocksExtension {
  static constexpr std::string_view kId = VISSL_BLOCKS_ID;
  static vissl_status enter(void* instance, const vissl_block* block, vissl_err* err) noexcept {
    return guarded(err, [&] { static_cast<T*>(instance)->enter_block(Block(block)); });
  }
  static vissl_status leave(void* instance, const vissl_block* block, vissl_err* err) noexcept {
    return guarded(err, [&] { static_cast<T*>(instance)->leave_block(Block(block)); });
  }
  static constexpr vissl_blocks_class kTable = {sizeof(vissl_blocks_class), &enter, &leave};
};

}  // namespace detail
}  // namespace abi1
}  // namespace vissl
