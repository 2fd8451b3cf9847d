#include "host/data/engine.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "host/data/guard.hpp"
#include "host/data/memory.hpp"
#include "host/data/phase.hpp"
#include "host/data/show_batch.hpp"

namespace vissl::host {
namespace {

constexpr std::int64_t kLoggedUnreadable = 10;  // images per run

struct Split {
  Split(SplitSettings settings, Catalogue& catalogue) : dataset(std::move(settings), catalogue) {}
  Dataset dataset;
  // Transforms and collators that no phase uses now.
  std::vector<std::unique_ptr<Pipeline>> pipelines;
};

class Engine final : public DataEngine {
 public:
  Engine(const Value& config, Catalogue& catalogue, Logger& log, int core_share)
      : config_(config),
        catalogue_(catalogue),
        log_(log),
        settings_(read_data_settings(config, core_share)),
        names_(split_names(config)) {}

  bool has(std::string_view split) const override {
    return std::find(names_.begin(), names_.end(), split) != names_.end();
  }
  std::int64_t length(std::string_view split) override {
    return open_split(split)->dataset.length();
  }
  std::int64_t batch_size(std::string_view split) override {
    return open_split(split)->dataset.settings().batch_size;
  }
  vissl_status label(std::string_view split, std::int64_t index, vissl_array* out,
                     vissl_err* err) override {
    vissl_status status = VISSL_OK;
    const vissl_status opened =
        guarded(err, [&] { status = open_split(split)->dataset.label(index, out, err); });
    return opened != VISSL_OK ? opened : status;
  }
  std::string path(std::string_view split, std::int64_t index) override {
    return open_split(split)->dataset.path(index);
  }
  std::vector<std::int64_t> class_labels(std::string_view split) override {
    return open_split(split)->dataset.class_labels();
  }
  std::int64_t batch_count(const PhaseSpec& spec) override {
    PhaseSpec counted = spec;
    counted.start_batch = 0;  // nothing to replay
    return BatchPlan(counted, settings_.seed, open_split(spec.split)->dataset, catalogue_)
        .batch_count();
  }
  std::unique_ptr<Phase> open(const PhaseSpec& spec, const Allocator& memory) override;
  std::int64_t invalid_samples() const override { return unreadable_; }
  std::string sheet_png(std::string_view split, const Batch& batch) override {
    return batch_sheet(batch, open_split(split)->dataset.settings());
  }

 private:
  std::shared_ptr<Split> open_split(std::string_view name);
  void note_unreadable(const std::string& split, const std::vector<Unreadable>& unreadable);

  const Value& config_;
  Catalogue& catalogue_;
  Logger& log_;
  DataSettings settings_;
  std::vector<std::string> names_;
  std::mutex mutex_;  // guards splits_
  std::map<std::string, std::shared_ptr<Split>, std::less<>> splits_;
  std::int64_t unreadable_ = 0;
};

std::shared_ptr<Split> Engine::open_split(std::string_view name) {
  const std::lock_guard lock(mutex_);
  if (const auto found = splits_.find(name); found != splits_.end()) return found->second;
  if (!has(name)) {
    std::string known;
    for (const std::string& one : names_) known += (known.empty() ? "" : ", ") + one;
    throw Error(Exit::usage, "the config has no split [data." + std::string(name) +
                                 "] with data_sources; it has " + (known.empty() ? "none" : known));
  }
  auto split = std::make_shared<Split>(read_split_settings(config_, name), catalogue_);
  return splits_.emplace(std::string(name), std::move(split)).first->second;
}

std::unique_ptr<Phase> Engine::open(const PhaseSpec& spec, const Allocator& memory) {
  const std::shared_ptr<Split> split = open_split(spec.split);
  const Dataset& dataset = split->dataset;
  auto plan = std::make_unique<BatchPlan>(spec, settings_.seed, dataset, catalogue_);
  WorkerPhase::Setup setup;
  setup.spec = spec;
  setup.seed = settings_.seed;
  setup.max_invalid_fraction = settings_.max_invalid_fraction;
  setup.threads = settings_.workers;
  setup.memory = memory;
  for (int i = 0; i < std::max(1, settings_.workers); ++i) {
    if (split->pipelines.empty()) {
      setup.pipelines.push_back(std::make_unique<Pipeline>(dataset.settings(), catalogue_));
    } else {
      setup.pipelines.push_back(std::move(split->pipelines.back()));
      split->pipelines.pop_back();
    }
  }
  setup.give_back = [split](std::vector<std::unique_ptr<Pipeline>> pipelines) {
    for (auto& pipeline : pipelines) split->pipelines.push_back(std::move(pipeline));
  };
  setup.on_unreadable = [this, name = spec.split](const std::vector<Unreadable>& unreadable) {
    note_unreadable(name, unreadable);
  };
  return std::make_unique<WorkerPhase>(std::move(setup), dataset, std::move(plan));
}

void Engine::note_unreadable(const std::string& split, const std::vector<Unreadable>& unreadable) {
  for (const Unreadable& one : unreadable) {
    if (unreadable_ < kLoggedUnreadable) {
      log_.log(LogLevel::warning, "data." + split + ": cannot read " + one.path + ": " +
                                      one.reason + "; a gray image takes its place");
    } else if (unreadable_ == kLoggedUnreadable) {
      log_.log(LogLevel::warning,
               "more images could not be read; from here on they are counted, not listed");
    }
    ++unreadable_;
  }
}

}  // namespace

std::unique_ptr<DataEngine> make_data_engine(const vissl_value* config, Catalogue& catalogue,
                                             Logger& log, int core_share) {
  return std::make_unique<Engine>(*config, catalogue, log, core_share);
}

const void* data_service(std::string_view id) {
  if (id == VISSL_IMAGE_ID) return &image_api();
  if (id == VISSL_SAMPLE_ID) return &sample_api();
  if (id == VISSL_BATCH_ID) return &batch_api();
  return nullptr;
}

}  // namespace vissl::host
