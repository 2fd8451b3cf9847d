#include "host/cli/commands.hpp"
#include "host/cli/json_text.hpp"
#include "host/cli/split_view.hpp"
#include "host/data/bench_data.hpp"

namespace vissl::host {
namespace {

std::string json_text(const DataBench& bench) {
  Value stages = Value::table();
  stages.set("read", Value::number(bench.stages.read));
  stages.set("decode", Value::number(bench.stages.decode));
  stages.set("transform", Value::number(bench.stages.transform));
  stages.set("place", Value::number(bench.stages.place));
  Value root = Value::table();
  root.set("images_per_second", Value::number(bench.samples_per_second()));
  root.set("images", Value::integer(bench.samples));
  root.set("seconds", Value::number(bench.seconds));
  root.set("first_batch_images", Value::integer(bench.first_samples));
  root.set("first_batch_seconds", Value::number(bench.first_seconds));
  root.set("workers", Value::integer(bench.workers));
  root.set("cores", Value::integer(bench.cores));
  root.set("unreadable", Value::integer(bench.unreadable));
  root.set("stage_seconds", std::move(stages));
  root.set("advice", Value::text(bench_advice(bench)));
  return to_json(root) + "\n";
}

}  // namespace

int bench_data_command(const CommandContext& context) {
  const SplitView split(context);
  const DataBench bench = bench_data(*split.data, split.spec, context.options.seconds);
  print(context.options.json ? json_text(bench) : bench_text(bench));
  return 0;
}

}  // namespace vissl::host
