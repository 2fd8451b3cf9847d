#include "host/cli/split_view.hpp"

#include <algorithm>

#include "host/config/path.hpp"
#include "host/data/engine.hpp"
#include "host/data/settings.hpp"
#include "host/no_batch.hpp"

namespace vissl::host {
namespace {

void require_split(const Value& config, const std::string& split) {
  const std::vector<std::string> names = split_names(config);
  if (std::find(names.begin(), names.end(), split) != names.end()) return;
  std::string known;
  for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
  throw Error(Exit::usage, "the config has no split [data." + split + "]" +
                               (known.empty() ? "" : "; it has " + known));
}

}  // namespace

SplitView::SplitView(const CommandContext& context) : session(context) {
  spec.split = context.options.split;
  spec.training = spec.split == "train";
  require_split(session.config(), spec.split);
  spec.each_once =
      !spec.training &&
      find_path(session.config(), "data." + spec.split + ".sampling")->as_text() != "vissl";
  data = make_data_engine(&session.config(), session.catalogue(), context.log);
  require_a_batch(*data, spec);
}

}  // namespace vissl::host
