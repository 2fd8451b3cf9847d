// NPID and PIRL (arXiv:1805.01978, 1912.01991): a memory with a row per image of the dataset,
// negatives drawn from alias tables, two heads of which one updates the memory.
#include <vissl/loss.hpp>
#include <vissl/plugin.hpp>

#include <vector>

#include "spike.hpp"

using namespace vissl;
using namespace spike;

namespace {

// Walker's alias tables of the weights 1, 2, …, n, and draws from them.
class Alias {
 public:
  void build(const nn::Scope& store, std::int64_t n) {
    std::vector<double> p(static_cast<std::size_t>(n));
    for (std::size_t i = 0; i < p.size(); ++i)
      p[i] = 2.0 * static_cast<double>(i + 1) / static_cast<double>(n + 1);
    std::vector<std::int64_t> alias(p.size(), 0), small, large;
    for (std::size_t i = 0; i < p.size(); ++i)
      (p[i] < 1.0 ? small : large).push_back(static_cast<std::int64_t>(i));
    while (!small.empty() && !large.empty()) {
      const auto s = static_cast<std::size_t>(small.back()),
                 l = static_cast<std::size_t>(large.back());
      small.pop_back();
      alias[s] = large.back();
      if ((p[l] -= 1.0 - p[s]) < 1.0) small.push_back(large.back()), large.pop_back();
    }
    probability_ = store.buffer("multinomial.prob", {n}, nn::Init::zeros());
    alias_ = store.buffer("multinomial.alias", {n}, nn::Init::zeros(), Dtype::i64);
    probability_.copy_(Tensor::of(p, {n}));
    alias_.copy_(Tensor::of(alias, {n}));
  }
  Tensor draw(std::int64_t rows, std::int64_t columns) const {
    const std::int64_t n = alias_.size(0);
    const Tensor cell =
        randint(0, n, rows * columns, Generator(), Options(Dtype::i64, alias_.device()));
    const Tensor stay =
        rand(rows * columns, Generator()).lt(probability_.index_select(0, cell)).to(Dtype::i64);
    return (cell * stay + alias_.index_select(0, cell) * (1 - stay)).view({rows, columns});
  }
  void check() const {
    const std::int64_t n = alias_.size(0), draws = 40000;
    const Tensor seen = draw(1, draws).flatten().bincount(Tensor(), n).to(Dtype::f32) / draws;
    const Tensor wanted =
        arange(1, n + 1, 1, Options(Dtype::f32)) * (2.0 / static_cast<double>(n * (n + 1)));
    expect_close(seen, wanted, 0.01, "alias tables give the wanted frequencies");
  }

 private:
  Tensor probability_, alias_;
};

class Npid {
 public:
  static constexpr auto rank_reduction = RankReduction::local;
  static constexpr auto events = event_mask(Event::start, Event::end);

  static void params(Params& p) {
    p.integer("dim", 8, at_least(1), "Width of the embedding.");
    p.integer("num_negatives", 10, at_least(1), "Draws per image.");
    p.numbers("loss_weights", {0.5, 0.5}, "One per head.");
    p.integer("update_mem_with_emb_index", 1, at_least(0), "The head that updates the memory.");
    p.imply("data.train.label_type", Toml("\"sample_index\""));
  }
  explicit Npid(const Config& c)
      : dim_(c.integer("dim")),
        negatives_(c.integer("num_negatives")),
        updater_(static_cast<std::size_t>(c.integer("update_mem_with_emb_index"))),
        weights_(c.numbers("loss_weights")) {}

  void build(const nn::Scope& root, const RunFacts& facts) {
    const nn::Scope store = root / "nce_average";
    images_ = facts.train_length;
    memory_ = store.buffer("memory", {images_, dim_}, nn::Init::uniform(-1, 1));
    memory_.copy_(normalize(memory_, 1));
    params_ = store.buffer("params", {4}, nn::Init::constant(-1));
    alias_.build(store, images_);
  }

  void on_event(Event event, Run& run) {
    if (event == Event::end) return report(run);
    expect(run.split_length("train") == images_, "the memory has a row per image");
    if (run.counters().iteration == 0) alias_.check();  // it draws: no resumed run repeats it
  }

  Tensor forward(const LossCall& call, const std::vector<Tensor>& outputs, const Tensor& index) {
    const Collectives ranks = call.collectives();
    if (!averaged_) ranks.all_reduce(memory_, Reduce::mean);
    averaged_ = true;
    const std::int64_t rows = index.size(0);
    Tensor total = zeros(1, Options(Dtype::f32, index.device()));
    for (std::size_t head = 0; head < outputs.size(); ++head) {
      const Tensor e = normalize(outputs[head], 1);
      const Tensor columns = cat({index.view({-1, 1}), alias_.draw(rows, negatives_)}, 1);
      const Tensor w =
          memory_.index_select(0, columns.flatten()).view({rows, negatives_ + 1, dim_}).clone();
      const Tensor s = (matmul(w, e.unsqueeze(2)).squeeze(2) / 0.07).exp();
      if (params_.narrow(0, 2, 1).item<double>() < 0) {
        const Tensor mean = s.detach().mean().reshape({1});
        ranks.all_reduce(mean, Reduce::mean);
        const NoGrad off;
        params_.narrow(0, 2, 1).copy_(mean * static_cast<double>(images_));
      }
      total = total + nce(s / params_.narrow(0, 2, 1).clone()) * weights_.at(head);
      if (head == updater_) update(ranks, e.detach(), index);
    }
    return total;  // shape (1)
  }

 private:
  Tensor nce(const Tensor& s) const {
    const double noise = static_cast<double>(negatives_) / static_cast<double>(images_),
                 eps = 1.1920929e-07;
    const Tensor positive = s.narrow(1, 0, 1), negative = s.narrow(1, 1, negatives_);
    const Tensor data = (positive / (positive + (noise + eps))).log().sum();
    const Tensor rest = ((negative + (noise + eps)).reciprocal() * noise).log().sum();
    return -(data + rest) / static_cast<double>(s.size(0));
  }

  void update(const Collectives& ranks, const Tensor& e, const Tensor& index) {
    const NoGrad off;
    const Tensor all = ranks.all_gather(e), where = ranks.all_gather(index),
                 before = memory_.clone();
    memory_.index_copy_(0, where, normalize(before.index_select(0, where) * 0.5 + all * 0.5, 1));
    const Tensor touched =
        zeros(images_).index_add_(0, where, ones(where.numel())).gt(0).to(Dtype::f32);
    expect_close(memory_ * (1 - touched).unsqueeze(1), before * (1 - touched).unsqueeze(1), 0.0,
                 "rows of other images stay");
    expect_close(linalg_vector_norm(memory_, 2, 1, false), ones(images_), 1e-5,
                 "rows have unit length");
    expect_equal_on_ranks(memory_, "all ranks have the same memory");
  }

  std::int64_t dim_, negatives_, images_ = 0;
  std::size_t updater_;
  std::vector<double> weights_;
  bool averaged_ = false;
  Tensor memory_, params_;
  Alias alias_;
};

}  // namespace

VISSL_LOSS(Npid, "spike_npid", "A memory of the whole dataset with alias sampling.")
VISSL_PLUGIN("org.vissl.spikes.npid", "1.0.0")
