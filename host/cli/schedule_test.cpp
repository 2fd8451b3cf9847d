#include "host/cli/schedule.hpp"

#include <doctest/doctest.h>

#include "host/config/test_configs.hpp"

using namespace vissl::host;

namespace {

ScheduleTable table_of(const std::vector<std::string>& settings, int points) {
  TestConfigs configs;
  const ResolvedConfig config = configs.resolve({configs.write("exp.toml", kGoodConfig)}, settings);
  return evaluate_schedules(*config.root, configs.catalogue(), points, 1, 1);
}

}  // namespace

TEST_CASE("schedule: values run from the start to the last step") {
  const ScheduleTable table = table_of({}, 5);
  CHECK(table.names == std::vector<std::string>{"lr"});
  CHECK(table.where.front() == 0.0);
  CHECK(table.where.back() < 1.0);
  CHECK(table.values[0][0] == 1.0);
  CHECK(table.values[2][0] == doctest::Approx(0.5));
  CHECK(table.values[4][0] == doctest::Approx(0.0));
  CHECK(table.epoch[2] == doctest::Approx(1.5));
}

TEST_CASE("schedule: by epoch the value stays that of the epoch's start") {
  const ScheduleTable table = table_of(
      {"optimizer.param_schedulers.lr.update_interval=epoch", "optimizer.num_epochs=2"}, 5);
  CHECK(table.values[0][0] == 1.0);
  CHECK(table.values[1][0] == 1.0);
  CHECK(table.values[2][0] == doctest::Approx(0.5));
  CHECK(table.values[3][0] == doctest::Approx(0.5));
}

TEST_CASE("schedule: auto_lr_scaling multiplies by the batch, or its root") {
  const std::string scaling = "optimizer.param_schedulers.lr.auto_lr_scaling";
  const std::vector<std::string> linear = {"data.train.batchsize_per_replica=1024",
                                           scaling + ".auto_scale=true"};
  CHECK(table_of(linear, 2).values[0][0] == doctest::Approx(4.0));
  std::vector<std::string> root = linear;
  root.push_back(scaling + ".scaling_type=sqrt");
  CHECK(table_of(root, 2).values[0][0] == doctest::Approx(2.0));
}

TEST_CASE("schedule: a config without schedules says so") {
  TestConfigs configs;
  std::string text = kGoodConfig;
  text.resize(text.find("[optimizer.param_schedulers.lr]"));
  const ResolvedConfig config = configs.resolve({configs.write("exp.toml", text)});
  CHECK_THROWS_WITH(evaluate_schedules(*config.root, configs.catalogue(), 3, 1, 1),
                    "the config has no schedules: [optimizer.param_schedulers.lr] is missing");
}
