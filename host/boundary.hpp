#pragma once
// The seam between the executable (options, config, catalogue, data engine; no libtorch) and
// libvissl_runtime.so (libtorch). Both are built from one tree with one compiler, so C++ interfaces
// may cross; `build_id` is compared before anything else. Every class here is abstract, because the
// runtime does not link the core.
#include <vissl/batch.h>
#include <vissl/data_source.h>
#include <vissl/value.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/files/error.hpp"

namespace vissl::host {

// --- catalogue
// ---------------------------------------------------------------------------------------------------------

// A created component. Destroys its instance. `table` is the kind's class table, `extension` looks
// up what the instance offers beside.
class Instance {
 public:
  virtual ~Instance() = default;
  virtual const void* table() const = 0;
  virtual void* self() const = 0;
  virtual const void* extension(std::string_view id) const = 0;  // NULL = not offered
  virtual const std::string& kind() const = 0;
  virtual const std::string& name() const = 0;
  virtual const std::string& plugin_id() const = 0;       // "org.vissl.losses"
  virtual const std::string& plugin_version() const = 0;  // "1.0.0"

  template <class Class>
  const Class& as() const {
    return *static_cast<const Class*>(table());
  }
};

// Collects one error text of a C call; `check` throws Error with the status' exit code and
// `context` before the text.
class ErrorSink {
 public:
  ErrorSink() : err_{sizeof(vissl_err), this, &ErrorSink::set} {}
  ErrorSink(const ErrorSink&) = delete;
  ErrorSink& operator=(const ErrorSink&) = delete;
  vissl_err* get() noexcept { return &err_; }
  const std::string& text() const noexcept { return text_; }
  void check(vissl_status status, const std::string& context) const {
    if (status == VISSL_OK) return;
    const auto code =
        status >= VISSL_E_FAILED && status <= VISSL_E_DISTRIBUTED ? status : VISSL_E_FAILED;
    throw Error(static_cast<Exit>(code),
                context.empty()
                    ? text_
                    : context + ": " + (text_.empty() ? "failed without a text" : text_));
  }

 private:
  static void set(vissl_err* err, vissl_status, vissl_str text) {
    auto* self = static_cast<ErrorSink*>(err->self);
    self->text_.assign(text.data != nullptr ? text.data : "", static_cast<std::size_t>(text.size));
  }
  vissl_err err_;
  std::string text_;
};

// What a thread does inside a plugin; instance NULL = nothing.
struct PluginCall {
  const Instance* instance = nullptr;
  const char* method = nullptr;  // "forward"; static text
};

// Where a crash finds what to print before the process dies. The executable's, one per process.
struct CrashPlace {
  PluginCall& (*call)() noexcept;           // of the calling thread
  std::atomic<std::int64_t> iteration{-1};  // completed train steps; -1 = no training
};

// While it lives, a crash of this thread names the component and its method. A few instructions,
// so it stands around every call into a component, though not around single operators.
class InPlugin {
 public:
  // `place` NULL: does nothing.
  InPlugin(CrashPlace* place, const Instance& instance, const char* method)
      : call_(place != nullptr ? &place->call() : nullptr) {
    if (call_ == nullptr) return;
    before_ = *call_;
    *call_ = {&instance, method};
  }
  ~InPlugin() {
    if (call_ != nullptr) *call_ = before_;
  }
  InPlugin(const InPlugin&) = delete;
  InPlugin& operator=(const InPlugin&) = delete;

 private:
  PluginCall* call_;
  PluginCall before_;
};

class Catalogue {
 public:
  virtual ~Catalogue() = default;
  // Creates the component that the checked config table `config` names. Throws Error that names
  // kind, name, file and place.
  virtual std::unique_ptr<Instance> create(std::string_view kind, const vissl_value* config) = 0;
};

// --- data
// ----------------------------------------------------------------------------------------------------------------

// Memory of batches: the runtime gives pinned or plain memory; 64-byte aligned.
struct Allocator {
  std::function<void*(std::size_t bytes)> allocate;
  std::function<void(void* memory, std::size_t bytes)> release;
};

struct BatchElement {
  vissl_dtype dtype;
  std::vector<std::int64_t> shape;  // shape[0] counts rows
  void* data;                       // contiguous
};
struct BatchField {
  std::string name;
  bool nested = false;  // a list of tensors, e.g. one per crop
  std::vector<BatchElement> elements;
};
struct Batch {
  std::vector<BatchField> fields;     // in the collator's order
  std::vector<std::int64_t> indices;  // dataset position of each sample
  std::int64_t number = 0;            // of the phase, from 0
  std::int64_t samples = 0;
};

struct PhaseSpec {
  std::string split;       // "train", "test", …
  std::int64_t epoch = 0;  // phase_idx for the sampler (VISSL's set_epoch), see sampler.h
  std::int64_t train_phase =
      0;  // for the random streams: the same data augmentation whatever tests run between
  std::int64_t start_batch = 0;  // first batch to deliver: resume in mid-epoch
  bool training = false;
  bool each_once = false;  // evaluation: each sample once in dataset order, rank r has r, r +
                           // world, …; no padding
  std::int64_t rank = 0, world = 1;
};

// Delivers the batches of one phase in order. One consumer thread.
class Phase {
 public:
  virtual ~Phase() = default;  // stops the workers
  virtual std::int64_t batch_count() const = 0;
  virtual std::shared_ptr<Batch>
  next() = 0;  // NULL after the last; waits; memory is reused when the last reference is dropped
  virtual double wait_seconds() const = 0;  // time that next() waited, summed
};

class DataEngine {
 public:
  virtual ~DataEngine() = default;
  virtual bool has(std::string_view split) const = 0;
  virtual std::int64_t length(std::string_view split) = 0;      // after data_limit
  virtual std::int64_t batch_size(std::string_view split) = 0;  // per rank
  virtual vissl_status label(std::string_view split, std::int64_t index, vissl_array* out,
                             vissl_err* err) = 0;
  virtual std::string path(std::string_view split, std::int64_t index) = 0;
  virtual std::vector<std::int64_t> class_labels(
      std::string_view split) = 0;  // empty when labels are not scalars
  virtual std::int64_t batch_count(const PhaseSpec& spec) = 0;
  virtual std::unique_ptr<Phase> open(const PhaseSpec& spec, const Allocator& memory) = 0;
  virtual std::int64_t invalid_samples() const = 0;  // unreadable images met so far
  // A contact sheet of a batch of the split as PNG bytes: a row per sample, at most eight, a column
  // per view. Throws Error for a batch without images.
  virtual std::string sheet_png(std::string_view split, const Batch& batch) = 0;
};

// --- log
// -------------------------------------------------------------------------------------------------------------------

enum class LogLevel { debug, info, warning, error };

// One redrawn line on a terminal, a plain line now and then elsewhere.
struct Progress {
  std::int64_t epoch, epochs, step, steps;  // epoch and step counted from 1 for people
  bool training;
  double loss, lr;  // NaN = unknown
  double images_per_second;
  double data_wait_fraction;  // 0 … 1
  double eta_seconds;
};

class Logger {
 public:
  virtual ~Logger() = default;
  virtual void log(
      LogLevel level,
      std::string_view text) = 0;  // stderr and, when a run folder is open, log.txt [any]
  virtual void open_file(const std::string& path, bool append) = 0;
  virtual void progress(const Progress& p) = 0;
  virtual void progress_done() = 0;
};

// --- the runtime
// -------------------------------------------------------------------------------------------------------

// A value of the config that an earlier run had otherwise; TOML text, empty = it was not there.
struct ConfigChange {
  std::string path, before, now;
};

// Which process of a distributed run this is. The defaults are those of a run with one rank.
struct Ranks {
  std::int64_t rank = 0, world = 1;
  std::int64_t local_rank = 0;   // on this machine
  std::int64_t local_world = 0;  // ranks on this machine, 0 = unknown
  std::int64_t core_share = 1;   // processes that share the cores which this one may use
  std::string address;           // host of rank 0
  std::string address_from;      // the option or variable that named it
  int port = 0;                  // where rank 0 listens
  int listener = -1;             // of rank 0: a socket that listens there already, -1 = none
};

class WeightsFormats;  // host/files/weights_file.hpp

struct Services {
  const char* build_id;
  const vissl_host*
      host;  // get_service of it asks the runtime for tensor services once the runtime is there
  const vissl_value* config;  // resolved and checked, all defaults present
  Catalogue* catalogue;
  DataEngine* data;
  Logger* log;
  std::string config_toml;  // the resolved config as text, for config.toml of the run folder
  std::string config_origin_json;
  std::string environment_json;  // env.json: command line, host name, versions, cores, variables
                                 // that matter
  // 0 = nothing; else the signal that asks to save and stop. Set by the executable's handler.
  std::function<int()> pending_signal;
  // A copy of the table `base` with `over` merged in: tables merge, arrays and scalars replace.
  // Lives until the process ends.
  std::function<const vissl_value*(const vissl_value* base, const vissl_value* over)> merge_config;
  // What differs between this config and an earlier run's `config_toml`, as far as it can change
  // the weights.
  std::function<std::vector<ConfigChange>(const std::string& config_toml)> config_changes;
  Ranks ranks;
  CrashPlace* crash_place = nullptr;
  WeightsFormats* weights_formats = nullptr;  // those of plugins; NULL = none
};

// The answer of one check of check-plugin. `text` is one sentence: what was met, where, the remedy.
enum class Outcome { ok, warn, fail, skipped };
struct Verdict {
  Outcome outcome = Outcome::ok;
  std::string text = {};
};
// A check that needs tensors.
struct ProbeRequest {
  std::string kind, name;                   // the component
  std::string check;                        // "second_instance"
  std::vector<const vissl_value*> configs;  // complete ones, in the order in which to try them
  // Of a component that acts in a run only: the whole config of such a run, else NULL.
  const vissl_value* run_config = nullptr;
};
// Components of the runtime's own around the judged one, in `run_config`, have names that begin so.
inline constexpr std::string_view kStandIn = "check_plugin_stand_in";

class Runtime {
 public:
  virtual ~Runtime() = default;
  virtual const void* get_service(
      std::string_view id) = 0;  // tensor, store, autograd, collectives, model, run
  // Runs the config's engine; returns the process' exit code or throws Error.
  virtual int run() = 0;
  virtual int check() = 0;  // all up to one step on a throw-away copy; leaves no files
  virtual std::string show_model(bool json) = 0;  // names, shapes, counts
  // One check of a component of the catalogue, for check-plugin; throws Error for what the check
  // does not foresee.
  virtual Verdict probe(const ProbeRequest& request) = 0;
};

#define VISSL_RUNTIME_SYMBOL "vissl_runtime_entry"
// Exported by libvissl_runtime.so with C linkage; throws nothing: an error is written to `error`.
using RuntimeEntry = Runtime* (*)(const Services* services, std::string* error);

}  // namespace vissl::host
