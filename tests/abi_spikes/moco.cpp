// MoCo (arXiv:1911.05722): a key encoder as twin, batches shuffled over the ranks before it, a
// queue.
#include <vissl/collator.hpp>
#include <vissl/loss.hpp>
#include <vissl/plugin.hpp>

#include <optional>

#include "spike.hpp"

using namespace vissl;
using namespace spike;

namespace {

// data (B, C, H, W): the first view, data_momentum: the second.
struct TwoViews {
  void layout(const Sample& first, std::int64_t count, Batch& batch) {
    batch.add_images("data", count, first.image("data", 0));
    batch.add_images("data_momentum", count, first.image("data", 1));
    for (const char* key : {"label", "data_idx"}) batch.add_arrays(key, count, first.array(key, 0));
  }
  void place(std::int64_t i, std::int64_t, Sample& sample, Batch& batch) {
    batch.write("data", 0, i, sample.image("data", 0));
    batch.write("data_momentum", 0, i, sample.image("data", 1));
    for (const char* key : {"label", "data_idx"}) batch.write(key, 0, i, sample.array(key, 0));
  }
};

class Moco {
 public:
  static constexpr auto rank_reduction = RankReduction::local;
  static constexpr auto events = event_mask(Event::start, Event::forward, Event::end);

  static void params(Params& p) {
    p.integer("dim", 8, at_least(1), "Width of the embedding.");
    p.integer("queue_size", 64, at_least(1), "Keys in the queue.");
    p.number("momentum", 0.9, between(0.0, 1.0), "Of the key encoder.");
  }
  explicit Moco(const Config& c)
      : dim_(c.integer("dim")), size_(c.integer("queue_size")), momentum_(c.number("momentum")) {}

  void build(const nn::Scope& store, const RunFacts& facts) {
    queue_ = store.buffer("queue", {dim_, size_}, nn::Init::normal(0, 1));
    pointer_ = store.buffer("queue_ptr", {1}, nn::Init::zeros(), Dtype::i64);
    queue_.copy_(normalize(queue_, 0));
    expect(size_ % (facts.batch_size * facts.world) == 0, "the queue holds whole batches");
  }

  void on_event(Event event, Run& run) {
    if (event == Event::end) return report(run);
    if (event == Event::start) {
      TwinSpec spec;
      spec.from = run.model();
      spec.buffers = TwinBuffers::own;
      spec.state_path = "loss.moco_encoder";
      encoder_ = Model::create(spec);
      for (const nn::Stored& entry : encoder_->store().entries())
        expect(!entry.trainable, "a twin is not trained");
      return;
    }
    if (run.counters().training == 0) return;
    if (run.counters().iteration > 0) update_encoder(run);
    keys_ = encode(run.record("data_momentum"));
  }

  Tensor forward(const LossCall&, const Tensor& embedding, const Tensor&) {
    const Tensor q = normalize(embedding, 1);
    const Tensor past = queue_.clone();
    const Tensor logits = cat({(q * keys_).sum(1, true), matmul(q, past)}, 1) / 0.2;
    enqueue();
    return cross_entropy(logits, zeros(q.size(0), Options(Dtype::i64, q.device())));
  }

 private:
  void update_encoder(Run& run) {
    const Tensor key = encoder_->store().find("trunk._feature_blocks.conv1.weight");
    const Tensor query = run.model().store().find("trunk._feature_blocks.conv1.weight");
    const Tensor expected = key * momentum_ + query.detach() * (1.0 - momentum_);
    encoder_->ema_update(run.model(), momentum_);
    expect_close(key, expected, 1e-6, "the key encoder follows the average");
  }

  // Keys of this rank's images, encoded in another rank's batch norm.
  Tensor encode(const Tensor& images) {
    const NoGrad off;
    const Collectives ranks;
    const std::int64_t rows = images.size(0), all_rows = rows * ranks.world();
    const Tensor order = randperm(all_rows, Generator(), Options(Dtype::i64, images.device()));
    ranks.broadcast(order);
    const Tensor mine = order.narrow(0, ranks.rank() * rows, rows);
    const Tensor back = order.argsort().narrow(0, ranks.rank() * rows, rows);
    const Tensor shuffled = ranks.all_gather(images).index_select(0, mine);
    const Tensor keys = normalize(encoder_->forward({shuffled})[0], 1);
    const Tensor marks = ranks.all_gather(shuffled.flatten(1).sum(Ints(1))).index_select(0, back);
    expect_close(marks, images.flatten(1).sum(Ints(1)), 1e-4, "shuffling and its inverse meet");
    return ranks.all_gather(keys).index_select(0, back);
  }

  void enqueue() {
    const NoGrad off;
    const Tensor all = Collectives().all_gather(keys_);
    const std::int64_t at = pointer_.item<std::int64_t>(), rows = all.size(0);
    const Tensor before = queue_.clone();
    queue_.narrow(1, at, rows).copy_(all.t());
    pointer_.fill_((at + rows) % size_);
    expect_close(queue_.roll({-at - rows}, {1}).narrow(1, 0, size_ - rows),
                 before.roll({-at - rows}, {1}).narrow(1, 0, size_ - rows), 0.0, "older keys stay");
    expect_close(queue_.narrow(1, at, keys_.size(0)).t(), all.narrow(0, 0, keys_.size(0)), 0.0,
                 "the queue's rows advance");
    expect_equal_on_ranks(queue_, "the queue is the same on all ranks");
  }

  std::int64_t dim_, size_;
  double momentum_;
  Tensor queue_, pointer_, keys_;
  std::optional<Model> encoder_;
};

}  // namespace

VISSL_COLLATOR(TwoViews, "spike_two_views", "The second view stands apart.")
VISSL_LOSS(Moco, "spike_moco", "A queue, a key encoder, shuffled batches.")
VISSL_PLUGIN("org.vissl.spikes.moco", "1.0.0")
