// Parameters that exist only while their block runs: a hook keeps a shard per rank, gathers the
// whole before a block, first and second time, and drops it after. Handles stay; only their data
// changes. Outside the trunk's blocks, in the optimizer's step and in checkpoints they are whole.
#include <vissl/blocks.hpp>
#include <vissl/hook.hpp>
#include <vissl/plugin.hpp>

#include <map>

#include "spike.hpp"

using namespace vissl;
using namespace spike;

namespace {

class Sharded {
 public:
  static constexpr auto events = event_mask(Event::phase_start, Event::forward, Event::backward,
                                            Event::update, Event::phase_end, Event::end);

  void on_event(Event event, Run& run) {
    if (event == Event::end) {
      expect(visits_[1] > 0 && visits_[1] == visits_[2],
             "each block ran forward and again in backward");
      report(run);
    } else if (event == Event::phase_start) {
      for (const nn::Stored& entry : run.model().store().entries()) {
        const std::size_t at = entry.name.find("layer");
        if (!entry.parameter || at == std::string::npos) continue;
        parts_[entry.name.substr(at, sizeof "layer1.0" - 1)].push_back(
            {entry.tensor, entry.tensor.sizes(), {}});
      }
      expect(parts_.size() == 8, "the trunk's blocks name their parameters");
      each(&Sharded::shard);
    } else if (event == Event::forward) {
      for (const auto& [block, parts] : parts_)
        for (const Part& part : parts)
          expect(part.handle.dim() == 1, "between two steps of the pass only the shard exists");
    } else if (event == Event::update) {
      each(&Sharded::shard);
    } else {  // backward: the optimizer follows; phase_end: a checkpoint may follow
      each(&Sharded::gather);
      if (event == Event::phase_end) parts_.clear();
    }
  }

  void enter_block(const Block& block) {
    ++visits_[block.in_backward() ? 2 : block.first_of_two() ? 1 : 0];
    for (Part& part : parts_.at(std::string(block.name()))) gather(part);
  }
  void leave_block(const Block& block) {
    expect(block.tensors().size() == 1, "a block tells its output");
    for (Part& part : parts_.at(std::string(block.name()))) shard(part);
  }

 private:
  struct Part {
    Tensor handle;  // the store's
    std::vector<std::int64_t> shape;
    Tensor shard;
  };
  void each(void (Sharded::*act)(Part&)) {
    for (auto& [block, parts] : parts_)
      for (Part& part : parts) (this->*act)(part);
  }
  void shard(Part& part) {
    const NoGrad off;
    const Collectives ranks;
    const Tensor flat = part.handle.detach().flatten();
    const std::int64_t rows = (flat.numel() + ranks.world() - 1) / ranks.world();
    const Tensor padded = cat(
        {flat, zeros(rows * ranks.world() - flat.numel(), Options(flat.dtype(), flat.device()))});
    part.shard = padded.narrow(0, ranks.rank() * rows, rows).clone();
    part.handle.set_data(part.shard);
  }
  void gather(Part& part) {
    const NoGrad off;
    std::int64_t count = 1;
    for (const std::int64_t n : part.shape) count *= n;
    part.handle.set_data(
        Collectives().all_gather(part.shard).narrow(0, 0, count).view(part.shape).clone());
  }

  std::map<std::string, std::vector<Part>> parts_;  // by block
  std::map<int, std::int64_t> visits_;
};

}  // namespace

VISSL_HOOK(Sharded, "spike_sharded", "Keeps a shard of the parameters of each block.")
VISSL_PLUGIN("org.vissl.spikes.sharded", "1.0.0")
