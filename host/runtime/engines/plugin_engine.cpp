#include <vissl/engine.h>

#include <optional>

#include "host/runtime/abi/context.hpp"
#include "host/runtime/checkpoint/run_folder.hpp"
#include "host/runtime/checkpoint/weights_init.hpp"
#include "host/runtime/dist/collectives.hpp"
#include "host/runtime/engines/engines.hpp"
#include "host/runtime/engines/kinds.hpp"
#include "host/runtime/log/run_log.hpp"

namespace vissl::host {

int run_plugin_engine(Session& session) {
  const auto engine =
      session.services().catalogue->create("engine", session.config()["engine"].value());
  if ((engine->as<vissl_engine_class>().flags & VISSL_ENGINE_TRAINS) != 0)
    return run_train(session, engine.get());
  std::optional<RunFolder> folder;
  std::optional<RunLog> log;
  if (collectives().rank() == 0) {
    folder.emplace(session.config()["checkpoint"], *session.services().log);
    session.services().log->open_file((folder->path() / "log.txt").string(), true);
  }
  Task task(session, Task::Purpose::evaluate);
  if (folder) {
    log.emplace(folder->path(), RunLog::Mode::append);
  }
  task.run_log = log ? &*log : nullptr;
  const InPlugin place = entering(*engine, "run");
  ErrorSink sink;
  sink.check(engine->as<vissl_engine_class>().run(engine->self(), task.handle(), sink.get()),
             "engine (" + engine->name() + ")");
  if (log) log->write_summary(true);
  return 0;
}

int run_engine(Session& session) {
  const std::string name = session.config().string("engine.name");
  if (only_planned(session.config()["model.weights_init"])) {
    // Building the model plans its weights and shows the plan.
    const Task planned(session, name == "train" ? Task::Purpose::train : Task::Purpose::evaluate);
    return 0;
  }
  if (name == "train") return run_train(session);
  if (name == "extract_features") return run_extract_features(session);
  return run_plugin_engine(session);
}

}  // namespace vissl::host
