// SwAV (arXiv:2006.09882) with a queue: Sinkhorn over all ranks, a queue of embeddings per rank
// whose scores are computed anew before each loss, prototypes that the update event brings to unit
// length.
#include <vissl/loss.hpp>
#include <vissl/plugin.hpp>

#include "spike.hpp"

using namespace vissl;
using namespace spike;

namespace {

class Swav {
 public:
  static constexpr auto rank_reduction = RankReduction::local;
  static constexpr auto events = event_mask(Event::forward, Event::update, Event::end);

  static void params(Params& p) {
    p.integer("num_prototypes", 12, at_least(1), "As the head has.");
    p.derive("num_prototypes", "last(model.heads[0].num_clusters)");
    p.integer("dim", 8, at_least(1), "Width of the embedding.");
    p.integer("queue_length", 16, at_least(1), "Embeddings of one rank.");
    p.require_collator("multicrop_collator");
  }
  explicit Swav(const Config& c)
      : prototypes_(c.integer("num_prototypes")),
        dim_(c.integer("dim")),
        length_(c.integer("queue_length")) {}

  void build(const nn::Scope& store, const RunFacts& facts) {
    expect(prototypes_ == 12, "num_prototypes follows the head");
    batch_ = facts.batch_size;
    queue_ = store.buffer("local_emb_queue", {kAssigned, length_, dim_}, nn::Init::uniform(-1, 1),
                          Dtype::f32, VISSL_BUFFER_PER_RANK);
    iteration_ = store.buffer("num_iteration", {1}, nn::Init::zeros(), Dtype::i64);
  }

  void on_event(Event event, Run& run) {
    const Tensor weight = run.model().store().find("heads.0.prototypes0.weight");
    const NoGrad off;
    if (event == Event::end) {
      if (run.facts().world > 1) {
        const Tensor sums = Collectives().all_gather(queue_.sum().reshape({1}));
        expect(distance(sums.narrow(0, 0, 1), sums.narrow(0, 1, 1)) > 0,
               "each rank has its own queue");
      }
      report(run);
    } else if (event == Event::update) {
      expect(distance(lengths(weight), lengths(weight).ones_like()) > 1e-7,
             "the step moved the prototypes off the sphere");
      weight.copy_(normalize(weight, 1));
    } else if (run.counters().training != 0) {
      if (run.counters().iteration > 0)
        expect_close(lengths(weight), lengths(weight).ones_like(), 1e-6,
                     "prototypes have unit length");
      queue_scores_ = matmul(queue_, weight.t());  // (assigned crops, length, K)
    }
  }

  Tensor forward(const LossCall& call, const std::vector<Tensor>& outputs, const Tensor&) {
    const Tensor embeddings = outputs.at(0), scores = outputs.at(1);
    const std::int64_t crops = scores.size(0) / batch_;
    Tensor total = zeros(1, Options(Dtype::f32, scores.device()));
    for (std::int64_t a = 0; a < kAssigned; ++a) {
      const Tensor own = scores.narrow(0, a * batch_, batch_).detach();
      const Tensor q = assign(call.collectives(), cat({own, queue_scores_.select(0, a)}));
      for (std::int64_t p = 0; p < crops; ++p) {
        if (p == a) continue;
        const Tensor log_p = (scores.narrow(0, p * batch_, batch_) / 0.1).log_softmax(1);
        total = total - (q * log_p).sum(Ints(1)).mean();
      }
      push(a, embeddings.narrow(0, a * batch_, batch_).detach());
    }
    iteration_.add_(1);
    expect(iteration_.item<std::int64_t>() == call.run().counters().iteration + 1,
           "the saved number counts the forwards");
    return total.squeeze(0) / static_cast<double>(kAssigned * (crops - 1));
  }

 private:
  static constexpr std::int64_t kAssigned = 2;
  static Tensor lengths(const Tensor& rows) { return linalg_vector_norm(rows, 2, 1, false); }

  // Sinkhorn-Knopp over the samples of all ranks; the rows of this batch, (B, K).
  Tensor assign(const Collectives& ranks, const Tensor& given) const {
    const NoGrad off;
    const Tensor scores = given.to(Dtype::f32);  // fp16 would sum to zero
    const Tensor largest = scores.max();
    ranks.all_reduce(largest, Reduce::max);
    Tensor q = ((scores - largest) / 0.05).exp().t().contiguous();  // (K, n)
    const double samples = static_cast<double>(q.size(1) * ranks.world());
    for (int i = 0; i < 3; ++i) {
      const Tensor mass = q.sum(Ints(1));
      ranks.all_reduce(mass);
      q = q / (mass.unsqueeze(1) * static_cast<double>(q.size(0)));
      q = q / (q.sum(Ints(0), true) * samples);
    }
    q = (q / q.sum(Ints(0), true)).t().contiguous();
    expect_close(q.sum(Ints(1)), ones(q.size(0)), 1e-5, "assignments sum to 1");
    return q.narrow(0, 0, batch_);
  }

  void push(std::int64_t crop, const Tensor& newest) {
    const NoGrad off;
    const Tensor queue = queue_.select(0, crop), before = queue.clone();
    queue.narrow(0, batch_, length_ - batch_).copy_(before.narrow(0, 0, length_ - batch_));
    queue.narrow(0, 0, batch_).copy_(newest);
    expect_close(queue_.select(0, crop).narrow(0, batch_, length_ - batch_),
                 before.narrow(0, 0, length_ - batch_), 0.0, "the queue's rows advance");
  }

  std::int64_t prototypes_, dim_, length_, batch_ = 0;
  Tensor queue_, queue_scores_, iteration_;
};

}  // namespace

VISSL_LOSS(Swav, "spike_swav", "Sinkhorn, a queue, prototypes of unit length.")
VISSL_PLUGIN("org.vissl.spikes.swav", "1.0.0")
