// Hooks, engines and losses, judged in a small run whose other parts are stand-ins.
#include <c10/core/GradMode.h>
#include <vissl/engine.h>
#include <vissl/state.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>

#include "host/no_log.hpp"
#include "host/plugin/conformance/judged.hpp"
#include "host/runtime/conformance/ledger.hpp"
#include "host/runtime/conformance/model_probes.hpp"
#include "host/runtime/conformance/stand_ins.hpp"
#include "host/runtime/log/run_log.hpp"
#include "host/runtime/train/trainer.hpp"
#include "host/text_sink.hpp"

namespace fs = std::filesystem;

namespace vissl::host {
namespace {

constexpr Outcome kFail = Outcome::fail;

// What a run leaves.
struct Left {
  std::vector<std::pair<std::string, at::Tensor>> weights;  // of the model, and of a judged loss
  std::string state;                                        // of the judged component
  std::map<std::string, std::string> files;                 // what it wrote into the run's folder
};

std::string difference(const Left& a, const Left& b) {
  for (std::size_t i = 0; i < a.weights.size(); ++i)
    if (!at::equal(a.weights[i].second, b.weights[i].second))
      return "other values of '" + a.weights[i].first + "'";
  return a.state == b.state ? "" : "another state";
}

std::vector<std::pair<std::string, at::Tensor>> values_of(const Store& store) {
  std::vector<std::pair<std::string, at::Tensor>> out;
  for (const auto& entry : store.entries())
    out.emplace_back(entry->name, entry->tensor.detach().clone());
  return out;
}

class SmallRun {
 public:
  SmallRun(const Services& services, const ProbeRequest& request)
      : kind_(request.kind),
        services_(services),
        catalogue_(*services.catalogue, request.kind),
        data_(stand_in_data()) {
    services_.config = request.run_config;
    services_.catalogue = &catalogue_;
    services_.data = data_.get();
    services_.log = &log_;
    services_.config_changes = [](const std::string&) { return std::vector<ConfigChange>(); };
    const Setting config = whole_config(services_);
    catalogue_.set_values(config.api());
    folder_ = config.string("checkpoint.dir");
    for (const auto& entry : fs::directory_iterator(folder_)) fs::remove_all(entry.path());
    session_.emplace(services_, RunDevice{});
  }

  // To its end, which is an exception after `fail_at` train steps. `seen` gets what is saved after
  // the first epoch.
  Left train(std::int64_t fail_at = -1, Node* seen = nullptr) {
    run_watch() = {};
    run_watch().fail_at = fail_at;
    Task task(*session_, Task::Purpose::train);
    return drive(task, seen);
  }
  Left resume(const Node& saved) {
    run_watch() = {};
    Task task(*session_, Task::Purpose::train, /*fresh=*/false);
    task.load_state(saved, "the state after one epoch");
    return drive(task, nullptr);
  }
  // An engine. One that does not train leaves the model alone.
  Left engine() {
    run_watch() = {};
    const std::unique_ptr<Instance> engine =
        catalogue_.create("engine", session_->config()["engine"].value());
    const bool trains = (engine->as<vissl_engine_class>().flags & VISSL_ENGINE_TRAINS) != 0;
    Task task(*session_, trains ? Task::Purpose::train : Task::Purpose::evaluate);
    if (trains) task.listen_to_engine(*engine);
    const auto before = values_of(task.model().store());
    {
      RunLog log(folder_, trains ? RunLog::Mode::fresh : RunLog::Mode::append);
      std::optional<Trainer> trainer;
      task.run_log = &log;
      if (trains) {
        trainer.emplace(task, nullptr, &log);
        trainer->begin();
        task.train_phases = [&](std::int64_t phases) { return trainer->run_some(phases); };
      }
      run_watch().before = SharedState();
      must("run", [&](vissl_err* err) {
        return engine->as<vissl_engine_class>().run(engine->self(), task.handle(), err);
      });
      run_watch().change = run_watch().before.change_to(SharedState());
      if (trains) trainer->end();
      if (!trains) log.write_summary(true);
    }
    const Left left = collect(task, trains);
    Left unchanged = left;
    unchanged.weights = before;
    if (const std::string what = difference(unchanged, left); !trains && !what.empty())
      judge_wrong("an evaluation leaves " + what + " in the model; leave it as it was");
    return left;
  }

 private:
  Left drive(Task& task, Node* seen) {
    {
      RunLog log(folder_, RunLog::Mode::fresh);
      Trainer trainer(task, nullptr, &log);
      if (seen == nullptr) {
        trainer.run();
      } else {
        trainer.begin();
        trainer.run_some(1);
        *seen = task.state();
        return {};
      }
    }
    return collect(task, true);
  }

  Left collect(Task& task, bool training) {
    Left left;
    left.weights = values_of(task.model().store());
    if (kind_ == "loss" && task.loss_store() != nullptr)
      for (auto& [name, value] : values_of(*task.loss_store()))
        left.weights.emplace_back("loss." + name, std::move(value));
    const auto* state =
        catalogue_.judged() != nullptr
            ? static_cast<const vissl_state_class*>(catalogue_.judged()->extension(VISSL_STATE_ID))
            : nullptr;
    if (state != nullptr) {
      const vissl_out out = text_sink(left.state);
      must("save",
           [&](vissl_err* err) { return state->save(catalogue_.judged()->self(), &out, err); });
    }
    for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
      const std::string name = fs::relative(entry.path(), folder_).string();
      // They hold times of day, and how long steps took.
      const bool timed = name == "stdout.json" || name.starts_with("tb_logs") ||
                         (training && name == "summary.json");
      if (!entry.is_regular_file() || timed) continue;
      std::ifstream in(entry.path(), std::ios::binary);
      left.files[name] = {std::istreambuf_iterator<char>(in), {}};
    }
    return left;
  }

  std::string kind_;
  Services services_;
  StandInCatalogue catalogue_;
  std::unique_ptr<DataEngine> data_;
  NoLog log_;  // what a plugin prints is a fault; what it logs in this run is nobody's
  fs::path folder_;
  std::optional<Session> session_;
};

// Runs `body(run)`, with what a component may spoil put back. A config that the component refuses
// says nothing about it, nor does a loss that cannot do with this model and data: unless it could
// `before`.
template <class Body>
Left in_small_run(const Services& services, const ProbeRequest& request, Body&& body,
                  bool before = false) {
  const c10::AutoGradMode keep_grad(c10::GradMode::is_enabled());
  try {
    SmallRun run(services, request);
    Left left = body(run);
    if (const std::string fault = Ledger::current()->take_fault(); !fault.empty())
      judge_wrong("in a run it " + fault);
    return left;
  } catch (const Error& error) {
    if (error.code() == Exit::usage || (request.kind == "loss" && !before))
      judge_skipped(std::string("it does not suit the small run of check-plugin: ") + error.what() +
                    "; try it with 'vissl-host check --config'");
    judge_wrong(std::string("a small run ends with: ") + error.what());
  }
}

Left whole_run(const Services& services, const ProbeRequest& request, bool before = false) {
  return in_small_run(
      services, request,
      [&](SmallRun& run) { return request.kind == "engine" ? run.engine() : run.train(); }, before);
}

}  // namespace

Verdict probe_run(const Services& services, const ProbeRequest& request) {
  const Left left = whole_run(services, request);
  for (const auto& [name, value] : left.weights)
    if (value.is_floating_point() && !at::isfinite(value).all().item<bool>())
      return {kFail, "after a small run '" + name + "' of the model is not finite"};
  if (request.kind == "engine")
    return {Outcome::ok, "leaves " + std::to_string(left.files.size()) + " files"};
  const std::int64_t events = run_watch().events;
  constexpr std::int64_t kFailAt = 3;
  try {
    SmallRun(services, request).train(kFailAt);
    return {kFail, "a run goes on although its loss raised an error"};
  } catch (const Error& error) {
    if (std::string(error.what()).find("check-plugin ends this run") == std::string::npos)
      return {kFail,
              std::string("hides the error that ends a run behind its own: ") + error.what()};
  }
  return {Outcome::ok, "in " + std::to_string(events) +
                           (request.kind == "loss" ? " forwards and events" : " events") +
                           ", and in a run that fails"};
}

Verdict probe_same_run(const Services& services, const ProbeRequest& request) {
  const Left first = whole_run(services, request), second = whole_run(services, request, true);
  if (const std::string what = difference(first, second); !what.empty())
    return {kFail, "the same run gives " + what +
                       " the second time; draw from libtorch's generators, and keep nothing "
                       "outside the instance"};
  for (const auto& [name, content] : first.files) {
    const auto same = second.files.find(name);
    if (same == second.files.end() || same->second != content)
      return {kFail, "the same run writes another '" + name + "' the second time"};
  }
  return {};
}

Verdict probe_run_handles(const Services& services, const ProbeRequest& request) {
  whole_run(services, request);  // what stays of a first run is a cache
  const Ledger& ledger = *Ledger::current();
  const std::int64_t outside = ledger.owned();
  whole_run(services, request, true);
  const std::vector<std::int64_t>& owned = run_watch().owned;
  if (owned.size() > 3) {
    const auto steps = static_cast<std::int64_t>(owned.size()) - 2;
    if (const std::int64_t more = owned.back() - owned[1]; more >= steps)
      return {kFail, "leaks " + std::to_string(more / steps) +
                         " handle(s) in each step; release every handle that a call returned"};
  }
  if (const std::int64_t more = ledger.owned() - outside; more > 0)
    return {kFail,
            "keeps " + std::to_string(more) + " handle(s) after destroy; release them there"};
  return {};
}

Verdict probe_run_global_state(const Services& services, const ProbeRequest& request) {
  whole_run(services, request);
  at::set_num_threads(1);
  if (const std::string& change = run_watch().change; !change.empty())
    return {kFail, change + "; put it back before the call returns"};
  return {};
}

Verdict probe_resume(const Services& services, const ProbeRequest& request) {
  const Left straight = whole_run(services, request);
  Node saved;
  in_small_run(
      services, request, [&](SmallRun& run) { return run.train(-1, &saved); }, true);
  const Left resumed = in_small_run(
      services, request, [&](SmallRun& run) { return run.resume(saved); }, true);
  if (const std::string what = difference(straight, resumed); !what.empty())
    return {kFail, "a run that was saved after an epoch and resumed gives " + what +
                       "; offer vissl.state/1 and save what the rest of the run depends on"};
  return {};
}

}  // namespace vissl::host
