// An engine that trains, and between the epochs measures a nearest-neighbour classifier on a third
// split.
#include <vissl/engine.hpp>
#include <vissl/plugin.hpp>

#include <map>
#include <set>

#include "spike.hpp"

using namespace vissl;
using namespace spike;

namespace {

class Probe {
 public:
  static constexpr bool trains = true;
  static constexpr auto events = event_mask(Event::phase_end);

  void on_event(Event, Run& run) {
    run.phase_metric("probe_seen", "{\"phases\": " + std::to_string(++ended_) + "}");
  }

  void run(Run& run) {
    std::int64_t phases = 0;
    for (Progress left = Progress::more; left == Progress::more;) {
      left = run.train(1);
      if (left == Progress::stop) return;
      expect(run.counters().phase_idx == phases++, "one phase at a time");
      expect(ended_ == phases, "an engine that trains gets events");
      if (run.counters().training == 0) continue;
      const double accuracy = nearest(run);
      run.phase_metric("probe_knn", "{\"top_1\": " + std::to_string(accuracy) + "}");
    }
    expect(phases == 2 * run.facts().epochs, "train and test phases of all epochs");
    report(run);
  }

 private:
  struct Rows {
    Tensor features;
    std::vector<std::int64_t> labels;
  };
  static Rows features(const Run& run, const std::string& split) {
    std::vector<Tensor> parts;
    std::vector<std::int64_t> labels;
    std::set<std::int64_t> seen;
    Pass pass;
    pass.split = split;
    pass.features = {"res5avg"};
    run.pass(pass, [&](const PassBatch& batch) {
      parts.push_back(normalize(batch.outputs[0].flatten(1), 1).clone());
      labels.insert(labels.end(), batch.labels, batch.labels + batch.rows);
      seen.insert(batch.indices, batch.indices + batch.rows);
    });
    const Collectives ranks;
    Rows rows;
    rows.features = ranks.all_gather_rows(cat(parts));
    rows.labels =
        ranks.all_gather_rows(Tensor::of(labels, {static_cast<std::int64_t>(labels.size())}))
            .to_vector<std::int64_t>();
    expect(seen.size() == labels.size(), "a pass gives every sample once");
    expect(rows.features.size(0) == run.split_length(split),
           "all ranks together give the whole split");
    return rows;
  }
  double nearest(const Run& run) const {
    const NoGrad off;
    const Rows known = features(run, "train"), asked = features(run, "probe");
    const std::vector<std::int64_t> best =
        matmul(asked.features, known.features.t()).argmax(1).to_vector<std::int64_t>();
    double right = 0;
    for (std::size_t i = 0; i < best.size(); ++i)
      right += known.labels.at(static_cast<std::size_t>(best[i])) == asked.labels[i] ? 1 : 0;
    return right / static_cast<double>(best.size());
  }
  std::int64_t ended_ = 0;
};

}  // namespace

VISSL_ENGINE(Probe, "spike_probe", "Trains, and measures neighbours between the epochs.")
VISSL_PLUGIN("org.vissl.spikes.probe", "1.0.0")
