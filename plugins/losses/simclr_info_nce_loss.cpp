// SimCLR: L = mean_i -log( exp(z_i.z_j / t) / sum_{k != i} exp(z_i.z_k / t) ), arXiv:2002.05709
// eq. 1. z = rows of unit length, j = the other view of the same image, k over all rows of all
// ranks. Rows are view-major, (2B, D): view 0 of the B images, then view 1, as simclr_collator
// gives them.
//
// Departs from VISSL in arithmetic alone: the maximum is subtracted before the exponentials, and
// everything runs in float32 at least, so that any temperature gives finite values.
#include <vissl/loss.hpp>
#include <vissl/plugin.hpp>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

using namespace vissl;

namespace {

struct SimclrInfoNce {
  static constexpr auto rank_reduction = RankReduction::joined;
  double temperature;

  static void params(Params& p) {
    p.vissl_prefix("LOSS.simclr_info_nce_loss");
    p.number("temperature", 0.1, above(0.0), "Divides the similarities.");
    p.require_collator("simclr_collator");
  }
  explicit SimclrInfoNce(const Config& c) : temperature(c.number("temperature")) {}

  Tensor forward(const LossCall& call, const Tensor& embeddings, const Tensor& /*target*/) {
    const std::int64_t rows = embeddings.size(0);  // 2B
    if (embeddings.dim() != 2 || rows % 2 != 0) {
      fail(VISSL_E_CONFIG,
           "simclr_info_nce_loss needs two views of each image, (2B, D), but it was given " +
               std::to_string(rows) + " rows of " + std::to_string(embeddings.dim() - 1) +
               " dimensions; use simclr_collator after ImgReplicatePil with num_times = 2");
    }
    check_pairs(call, rows);
    const NoAutocast exact;
    const bool half = embeddings.dtype() == Dtype::bf16 || embeddings.dtype() == Dtype::f16;
    const Tensor z = normalize(half ? embeddings.to(Dtype::f32) : embeddings, 1);  // (2B, D)
    const Tensor all = call.collectives().all_gather_with_grad(z);  // (2BW, D), rank-major
    const Tensor logits = matmul(z, all.t()) / temperature;         // (2B, 2BW)

    const std::int64_t first = call.collectives().rank() * rows;  // column of this rank's row 0
    const Tensor row = arange(0, rows, 1, Options(Dtype::i64, z.device()));
    const Tensor self = row + first;
    const Tensor positive = roll(row, {rows / 2}, {0}) + first;
    const double nothing = -std::numeric_limits<double>::infinity();
    return cross_entropy(scatter(logits, 1, self.unsqueeze(1), nothing), positive);
  }

 private:
  std::int64_t checked_rows_ = 0;

  // Rows i and B + i must be views of one image. Looked at once, because it waits for the device.
  void check_pairs(const LossCall& call, std::int64_t rows) {
    if (rows == checked_rows_ || !call.run().counters().training) return;
    checked_rows_ = rows;
    const Tensor images = call.run().record("data_idx");
    if (!images.defined() || images.dim() != 1 || images.size(0) != rows) return;
    const std::vector<std::int64_t> index = images.to_vector<std::int64_t>();
    const auto views = std::count(index.begin(), index.end(), index.front());
    if (!std::equal(index.begin(), index.begin() + rows / 2, index.begin() + rows / 2)) {
      fail(VISSL_E_CONFIG,
           "simclr_info_nce_loss compares two views of each image, but this batch has " +
               std::to_string(views) + (views == 1 ? " view" : " views") +
               " of its first image; set ImgReplicatePil's num_times to 2");
    }
    if (rows * call.collectives().world() < 4) {
      fail(VISSL_E_CONFIG,
           "simclr_info_nce_loss needs at least two images per step, to have another one to tell "
           "apart; raise data.train.batchsize_per_replica");
    }
  }
};

}  // namespace

VISSL_LOSS(SimclrInfoNce, "simclr_info_nce_loss",
           "InfoNCE over two views with all other rows of all ranks as negatives.")
VISSL_PLUGIN("org.vissl.losses.simclr_info_nce_loss", "1.0.0")
