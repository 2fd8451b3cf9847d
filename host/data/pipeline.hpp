#pragma once
// One worker's transforms and collator of a split.
#include <memory>
#include <vector>

#include "host/boundary.hpp"
#include "host/data/batch.hpp"
#include "host/data/sample.hpp"
#include "host/data/settings.hpp"

namespace vissl::host {

class Pipeline {
 public:
  Pipeline(const SplitSettings& settings, Catalogue& catalogue);  // [main]
  ~Pipeline();

  // [worker], each instance by one at a time. All throw Error that names the component.
  void transform(Sample& sample);
  void layout(Sample& first, std::int64_t count, BatchBuilder& batch);
  void place(std::int64_t position, std::int64_t count, Sample& sample, BatchBuilder& batch);
  void finish(BatchBuilder& batch);

 private:
  struct Step {
    std::unique_ptr<Instance> instance;
    std::string text;  // "data.train.transforms[2] RandomCrop (exp.toml:12:5)"
    bool all_entries;
    std::vector<std::size_t> indices;  // entries of "data", ascending, unless all_entries
  };
  void apply(Step& step, Sample& sample);
  void apply_to_image(Step& step, Sample& sample, std::size_t entry);

  std::vector<Step> steps_;
  std::unique_ptr<Instance> collator_;
  std::string collator_text_;
};

}  // namespace vissl::host
