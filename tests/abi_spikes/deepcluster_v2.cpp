// DeepCluster v2 (arXiv:2006.09882): banks that one pass over the train split fills before the
// first epoch, and k-means over all ranks at the start of every epoch.
#include <vissl/loss.hpp>
#include <vissl/plugin.hpp>

#include "spike.hpp"

using namespace vissl;
using namespace spike;

namespace {

class DeepCluster {
 public:
  static constexpr auto rank_reduction = RankReduction::local;
  static constexpr auto events = event_mask(Event::start, Event::phase_start, Event::end);

  static void params(Params& p) {
    p.integer("dim", 8, at_least(1), "Width of the embedding.");
    p.integer("clusters", 5, at_least(1), "Number of centroids.");
    p.require_collator("multicrop_collator");
    p.imply("data.train.label_type", Toml("\"sample_index\""));
    p.imply("data.train.drop_last", Toml("true"));
  }
  explicit DeepCluster(const Config& c)
      : dim_(c.integer("dim")), clusters_(c.integer("clusters")) {}

  void build(const nn::Scope& store, const RunFacts& facts) {
    batch_ = facts.batch_size;
    samples_ = facts.train_length;
    rows_ = facts.iterations_per_epoch * facts.batch_size;
    bank_ = store.buffer("local_memory_embeddings", {rows_, dim_}, nn::Init::zeros(), Dtype::f32,
                         VISSL_BUFFER_PER_RANK);
    index_ = store.buffer("local_memory_index", {rows_}, nn::Init::zeros(), Dtype::i64,
                          VISSL_BUFFER_PER_RANK);
    assignments_ = store.buffer("assignments", {samples_}, nn::Init::constant(-100), Dtype::i64);
    centroids_ = store.buffer("centroids0", {clusters_, dim_}, nn::Init::uniform(0, 1));
  }

  void on_event(Event event, Run& run) {
    if (event == Event::end) return report(run);
    if (event == Event::start) {
      if (run.counters().train_phase_idx < 0) fill(run);
    } else if (run.counters().training != 0) {
      cluster(Collectives());
      next_ = 0;
    }
  }

  Tensor forward(const Tensor& embeddings, const Tensor& index) {
    const Tensor z = normalize(embeddings, 1);
    write(z.detach().narrow(0, 0, batch_), index.narrow(0, 0, batch_));
    const Tensor logits = matmul(z, centroids_.t()) / 0.1;
    const Tensor targets = assignments_.index_select(0, index);
    expect(targets.ge(0).all().item<double>() == 1.0, "every sample of the batch has a cluster");
    return cross_entropy(logits, targets);
  }

 private:
  void fill(Run& run) {
    Pass pass;
    pass.split = "train";
    pass.features = {"heads"};
    pass.training_mode = true;
    pass.order = PassOrder::as_training;
    run.pass(pass, [&](const PassBatch& batch) {
      expect(static_cast<std::int64_t>(batch.rows) == batch_,
             "the pass drops the last, partial batch");
      expect(batch.outputs[0].size(0) == 2 * batch_, "the pass gives the rows of both crops");
      const Tensor index = batch.field("data_idx").narrow(0, 0, batch_);
      expect(index.to_vector<std::int64_t>() ==
                 std::vector<std::int64_t>(batch.indices, batch.indices + batch.rows),
             "rows are crop-major");
      write(normalize(batch.outputs[0], 1).narrow(0, 0, batch_), index);
    });
    expect(next_ == rows_, "one pass fills the bank");
  }

  void write(const Tensor& rows, const Tensor& index) {
    const NoGrad off;
    bank_.narrow(0, next_, batch_).copy_(rows);
    index_.narrow(0, next_, batch_).copy_(index);
    next_ += batch_;
  }

  void cluster(const Collectives& ranks) {
    const NoGrad off;
    centroids_.copy_(bank_.index_select(0, randperm(rows_, Generator()).narrow(0, 0, clusters_)));
    ranks.broadcast(centroids_);
    double before = -1e30;
    for (int i = 0; i < 5; ++i) {
      const auto [similarity, nearest] = matmul(bank_, centroids_.t()).max(1);
      const Tensor total = similarity.to(Dtype::f64).sum();
      ranks.all_reduce(total);
      expect(total.item<double>() >= before - 1e-4, "k-means gets better with each step");
      before = total.item<double>();
      const Tensor sums = zeros({clusters_, dim_}).index_add_(0, nearest, bank_);
      const Tensor counts = nearest.bincount(Tensor(), clusters_).to(Dtype::f32);
      ranks.all_reduce(sums);
      ranks.all_reduce(counts);
      const Tensor means = normalize(sums, 1);
      const Tensor used = counts.gt(0).to(Dtype::f32).unsqueeze(1);
      centroids_.copy_(means * used + centroids_ * (1 - used));
    }
    const Tensor nearest = matmul(bank_, centroids_.t()).argmax(1);
    assignments_.fill_(-100);
    const Tensor all = ranks.all_gather(index_);
    assignments_.index_copy_(0, all, ranks.all_gather(nearest));
    expect(assignments_.ge(0).to(Dtype::i64).sum().item<std::int64_t>() == all.numel(),
           "the ranks' banks hold different samples");
    expect_close(linalg_vector_norm(centroids_, 2, 1, false), ones(clusters_), 1e-5,
                 "centroids have unit length");
    expect_equal_on_ranks(centroids_, "all ranks have the same centroids");
    expect_equal_on_ranks(assignments_, "all ranks have the same assignments");
  }

  std::int64_t dim_, clusters_, batch_ = 0, samples_ = 0, rows_ = 0, next_ = 0;
  Tensor bank_, index_, assignments_, centroids_;
};

}  // namespace

VISSL_LOSS(DeepCluster, "spike_deepcluster", "Banks per rank and k-means over all of them.")
VISSL_PLUGIN("org.vissl.spikes.deepcluster_v2", "1.0.0")
