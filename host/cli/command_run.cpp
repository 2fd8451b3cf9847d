// The commands that need libtorch: run, check, show model.
#include <cstdlib>
#include <vissl_build.hpp>

#include "host/cli/commands.hpp"
#include "host/cli/config_changes.hpp"
#include "host/cli/environment.hpp"
#include "host/cli/executable.hpp"
#include "host/cli/origins.hpp"
#include "host/cli/ranks.hpp"
#include "host/cli/runtime_loader.hpp"
#include "host/cli/signals.hpp"
#include "host/cli/spawn.hpp"
#include "host/config/layers.hpp"
#include "host/config/toml_text.hpp"
#include "host/data/engine.hpp"
#include "host/plugin/crash_note.hpp"

namespace vissl::host {
namespace {

// Everything that the runtime keeps pointers to. Made once and never destroyed, because the runtime
// lives until the process ends.
struct Running {
  explicit Running(const CommandContext& context) : session(context) {
    const Value& config = session.config();
    data = make_data_engine(&config, session.catalogue(), context.log,
                            static_cast<int>(context.options.ranks.core_share));
    services = {
        VISSL_BUILD_ID,
        session.services().get(),
        &config,
        &session.catalogue(),
        data.get(),
        &context.log,
        toml_document(config),
        origins_json(config),
        environment_json(context.arguments, session.catalogue().loaded()),
        pending_stop_signal,
        [this](const vissl_value* base, const vissl_value* over) { return merged(base, over); },
        [&config](const std::string& stored) { return config_changes(stored, config); },
        context.options.ranks,
        &crash_place(),
        &session.catalogue().weights_formats()};
    runtime = &load_runtime(services, executable_folder());
    session.services().forward_to([this](std::string_view id) { return runtime->get_service(id); });
  }

  const vissl_value* merged(const vissl_value* base, const vissl_value* over) {
    auto copy = std::make_unique<Value>(base != nullptr ? *base : Value::table());
    std::vector<std::string> notes;
    if (over != nullptr) merge_layer(*copy, *over, "", notes);
    return merged_configs.emplace_back(std::move(copy)).get();
  }

  Session session;
  std::vector<std::unique_ptr<Value>> merged_configs;
  std::unique_ptr<DataEngine> data;
  Services services;
  Runtime* runtime = nullptr;
};

// The rendezvous would wait for distributed.timeout_seconds, and then not say why.
constexpr std::chrono::seconds kNamePatience{20};

Runtime& start(const CommandContext& context) {
  static Running* running = nullptr;  // reachable, so that it is no leak
  running = new Running(context);
  return *running->runtime;
}

// Tells the other ranks of a failure before this one has met them, and the user, once.
int end_together(const CommandContext& context, const Error& error) {
  const Ranks& ranks = context.options.ranks;
  const auto say = [&] { context.log.log(LogLevel::error, error.what()); };
  if (ranks.rank == 0) say();  // the others may never come
  const bool rank_0_says = announce_failure(ranks, error, executable_folder());
  if (ranks.rank != 0 && !rank_0_says) say();
  return static_cast<int>(error.code());
}

}  // namespace

int run_command(const CommandContext& context) {
  if (context.options.nproc > 1) {
    Session(context).config();  // what is wrong with it is said once
    return spawn_ranks(context.options.nproc, context.arguments, context.log);
  }
  catch_stop_signals();
  const Ranks& ranks = context.options.ranks;
  if (ranks.world > 1) await_address(ranks, kNamePatience);
  Runtime* runtime = nullptr;
  try {
    runtime = &start(context);
  } catch (const Error& error) {
    if (ranks.world <= 1 || has_supervisor(std::getenv)) throw;
    return end_together(context, error);
  }
  return runtime->run();
}

int check_command(const CommandContext& context) {
  return start(context).check();
}

int show_model_command(const CommandContext& context) {
  print(start(context).show_model(context.options.json));
  return 0;
}

}  // namespace vissl::host
