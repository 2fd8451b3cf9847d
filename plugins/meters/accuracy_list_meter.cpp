// Top-k accuracy of each output of the model: the share of samples whose class is among the k
// largest scores. Among equal scores the lowest class number comes first; a score that is not a
// number never counts as right.
//
// Target (N) or (N, 1) class numbers; or (N, C) with 1 (or a share) for each class that is right,
// of which the largest among the k counts. A sample whose class is negative, or the loss'
// ignore_index, is left out, as cross entropy leaves it out.
#include <vissl/meter.hpp>
#include <vissl/plugin.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

using namespace vissl;

namespace {

class AccuracyListMeter {
 public:
  static void params(Params& p) {
    p.vissl_prefix("METERS.accuracy_list_meter");
    p.integers("topk_values", {1}, at_least(1), "How many of the largest scores count.");
    p.integer("num_meters", optional, at_least(1),
              "Outputs of the model; without it one per evaluated feature, or one.");
    p.strings("meter_names", {}, "Names of the outputs; without it their features or numbers.");
    p.tables("features", Toml("[]"), "The evaluated features, whose names the outputs take.")
        .vissl("MODEL.FEATURE_EVAL_SETTINGS.LINEAR_EVAL_FEAT_POOL_OPS_MAP");
    p.derive("features", "model.feature_eval.features");
    p.integer("ignore_index", -1, "Samples of this class are left out, as are negative ones.")
        .vissl("LOSS.CrossEntropyLoss.ignore_index");
    p.derive("ignore_index", "loss.ignore_index");
  }
  explicit AccuracyListMeter(const Config& c)
      : topk_(c.integers("topk_values")),
        names_(c.strings("meter_names")),
        ignore_index_(c.integer("ignore_index")) {
    if (topk_.empty()) fail(VISSL_E_CONFIG, "'topk_values' needs at least one number");
    if (names_.empty()) {
      for (const Config& feature : c.list("features")) names_.push_back(feature.string("name"));
    }
    const std::int64_t given = c.has("num_meters") ? c.integer("num_meters") : 0;
    if (given != 0 && !names_.empty() && given != static_cast<std::int64_t>(names_.size())) {
      fail(VISSL_E_CONFIG, "'num_meters' is " + std::to_string(given) + " but there are " +
                               std::to_string(names_.size()) + " names; give one name per meter");
    }
    if (names_.empty()) {
      for (std::int64_t i = 0; i < std::max<std::int64_t>(given, 1); ++i) {
        names_.push_back(std::to_string(i));
      }
    }
    reset();
  }

  void reset() { counts_.assign(names_.size() * stride(), 0.0); }
  std::vector<double>& counters() { return counts_; }

  void update(const std::vector<Tensor>& outputs, const Tensor& target) {
    if (!target) fail("accuracy_list_meter needs a target, but the batch has none");
    if (outputs.size() != names_.size()) {
      fail(VISSL_E_CONFIG, "accuracy_list_meter has " + std::to_string(names_.size()) +
                               " meters, but the model gives " + std::to_string(outputs.size()) +
                               " outputs; set num_meters or meter_names");
    }
    const Tensor labels = target.dim() == 2 && target.size(1) == 1 ? target.squeeze(1) : target;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const Tensor scores = outputs[i].to(Dtype::f32);  // (N, C)
      const std::int64_t largest = *std::max_element(topk_.begin(), topk_.end());
      if (scores.dim() != 2 || scores.size(1) < largest) {
        fail(VISSL_E_CONFIG, "accuracy_list_meter counts the top " + std::to_string(largest) +
                                 " of " + std::to_string(scores.size(-1)) +
                                 " classes; lower topk_values");
      }
      double* counts = &counts_[i * stride()];
      labels.dim() == 1 ? count_classes(scores, labels.to(Dtype::i64), counts)
                        : count_sets(scores, labels.to(Dtype::f64), counts);
    }
  }

  // {"top_1": {"res5": 75.6}, "top_5": …}: percent; outputs of equal name share a list.
  void value(Json& json) const {
    json.object();
    for (std::size_t k = 0; k < topk_.size(); ++k) {
      json.key("top_" + std::to_string(topk_[k])).object();
      for (std::size_t i = 0; i < names_.size(); ++i) {
        const auto first = std::find(names_.begin(), names_.end(), names_[i]);
        if (first != names_.begin() + static_cast<std::ptrdiff_t>(i)) continue;
        const bool many = std::count(names_.begin(), names_.end(), names_[i]) > 1;
        json.key(names_[i]);
        if (many) json.array();
        for (std::size_t j = i; j < names_.size(); ++j) {
          if (names_[j] == names_[i]) json.number(percent(j, k));
        }
        if (many) json.close();
      }
      json.close();
    }
  }

 private:
  // Per output: the hits of each k, then the samples.
  std::size_t stride() const { return topk_.size() + 1; }

  double percent(std::size_t output, std::size_t k) const {
    const double* counts = &counts_[output * stride()];
    const double samples = counts[topk_.size()];
    const double share = samples > 0.0 ? counts[k] / samples : 0.0;
    return 100.0 * (std::round(share * 1e6) / 1e6);
  }

  void count_classes(const Tensor& all_scores, const Tensor& all_labels, double* counts) const {
    const Tensor kept = logical_and(all_labels.ge(0), all_labels.ne(ignore_index_));
    const Tensor rows = kept.nonzero().squeeze(1);
    const Tensor scores = all_scores.index_select(0, rows);
    const Tensor labels = all_labels.index_select(0, rows);
    const std::int64_t classes = scores.size(1);
    counts[topk_.size()] += static_cast<double>(scores.size(0));
    const Tensor outside = labels.ge(classes);
    if (any(outside).item<std::uint8_t>()) {
      fail("label " + std::to_string(labels.masked_select(outside).to_vector<std::int64_t>()[0]) +
           " has no class: the model's output has " + std::to_string(classes) + " classes, 0 to " +
           std::to_string(classes - 1) + "; correct the labels of the split or the head's dims");
    }
    const Tensor column = labels.unsqueeze(1);    // (N, 1)
    const Tensor own = scores.gather(1, column);  // (N, 1)
    const Tensor number = arange(0, classes);     // (C)
    const Tensor behind =
        logical_or(scores.lt(own), logical_and(scores.eq(own), number.ge(column)));
    const Tensor rank = classes - behind.sum({1}, false, Dtype::i64);  // classes before the own one
    for (std::size_t k = 0; k < topk_.size(); ++k)
      counts[k] += rank.lt(topk_[k]).sum().item<double>();
  }

  void count_sets(const Tensor& scores, const Tensor& sets, double* counts) const {
    counts[topk_.size()] += static_cast<double>(scores.size(0));
    static const Op stable_sort("aten::sort", "stable");
    const Tensor order = std::get<1>(stable_sort.tuple<2>(
        {detail::arg(scores), detail::arg(true), detail::arg(std::int64_t{1}), detail::arg(true)}));
    for (std::size_t k = 0; k < topk_.size(); ++k) {
      const Tensor picked = sets.gather(1, order.narrow(1, 0, topk_[k]));
      counts[k] += picked.amax({1}).sum().item<double>();
    }
  }

  std::vector<std::int64_t> topk_;
  std::vector<std::string> names_;
  std::int64_t ignore_index_;
  std::vector<double> counts_;
};

}  // namespace

VISSL_METER(AccuracyListMeter, "accuracy_list_meter", "Top-k accuracy of each output.")
VISSL_PLUGIN("org.vissl.meters.accuracy_list_meter", "1.0.0")
