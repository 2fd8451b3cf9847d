#include <vissl/engine.h>

#include <chrono>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "host/runtime/checkpoint/run_folder.hpp"
#include "host/runtime/dist/collectives.hpp"
#include "host/runtime/engines/engines.hpp"
#include "host/runtime/engines/kinds.hpp"
#include "host/runtime/log/run_log.hpp"
#include "host/runtime/train/trainer.hpp"

namespace vissl::host {

namespace {

// env.json with what this process resolved: results of another choice differ in their bits.
std::string environment_of(const Session& session) {
  auto json = nlohmann::ordered_json::parse(
      with_device(session.services().environment_json, session.run_device()));
  json["device"] = session.device_name();
  json["threads"] = session.threads();
  json["precision"] = session.precision().name;
  json["deterministic"] = session.deterministic();
  json["seed"] = session.config().integer("seed_value");
  json["ranks"] = collectives().world();
  return json.dump(2) + "\n";
}

// Lets a plugin's engine drive the phases.
int drive(Instance& engine, Task& task, Trainer& trainer) {
  try {
    trainer.begin();
    task.train_phases = [&](std::int64_t phases) { return trainer.run_some(phases); };
    ErrorSink sink;
    sink.check(engine.as<vissl_engine_class>().run(engine.self(), task.handle(), sink.get()),
               "engine (" + engine.name() + ")");
    return trainer.end();
  } catch (...) {
    trainer.fail();
    throw;
  }
}

}  // namespace

int run_train(Session& session, Instance* engine) {
  const bool first = collectives().rank() == 0;
  RunFolder folder(session.config()["checkpoint"], *session.services().log);
  RunStart start = folder.start(session.services());
  if (start.finished) {
    session.log(
        LogLevel::info,
        "this run is finished: " + folder.path().string() +
            " has its final checkpoint; set checkpoint.overwrite_existing=true to train anew");
    return 0;
  }
  std::optional<Checkpoint>& found = start.found;
  if (first)
    session.services().log->open_file((folder.path() / "log.txt").string(), found.has_value());
  Task task(session, Task::Purpose::train, !found);
  if (engine != nullptr) task.listen_to_engine(*engine);
  if (first) {
    if (found) folder.reopen();
    if (!found) folder.start_anew();
    folder.write_provenance(session.services().config_toml, environment_of(session));
  }
  if (found) task.load_state(found->tree, found->path.string());
  if (found && !first && start.own.kind() != Node::Kind::none)
    task.load_rank_state(start.own, found->path.string());
  std::optional<RunLog> log;
  if (first) {
    const Node* positions =
        found ? found->tree.at("vissl_host").find(std::string("files")) : nullptr;
    log.emplace(folder.path(), found ? RunLog::Mode::resume : RunLog::Mode::fresh, positions);
  }
  start = {};
  Trainer trainer(task, &folder, log ? &*log : nullptr);
  return engine != nullptr ? drive(*engine, task, trainer) : trainer.run();
}

int check_run(Session& session) {
  const auto started = std::chrono::steady_clock::now();
  const std::string engine = session.config().string("engine.name");
  const bool trains = engine == "train";
  RunFolder::check_writable(session.config()["checkpoint"]);
  Task task(session, trains ? Task::Purpose::train : Task::Purpose::evaluate);
  double step_seconds = std::numeric_limits<double>::quiet_NaN();
  if (trains) step_seconds = Trainer(task, nullptr, nullptr).rehearse();
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  if (!task.weights().report.empty()) session.log(LogLevel::info, task.weights().report);
  session.log(LogLevel::info, report_check(task, step_seconds, seconds));
  return 0;
}

}  // namespace vissl::host
