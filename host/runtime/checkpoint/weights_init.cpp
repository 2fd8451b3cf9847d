#include "host/runtime/checkpoint/weights_init.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/from_blob.h>
#include <torch/csrc/autograd/grad_mode.h>
#include <vissl/weights_scheme.h>

#include <memory>
#include <unordered_map>

#include "host/files/atomic_file.hpp"
#include "host/files/locator_text.hpp"
#include "host/files/mapped_file.hpp"
#include "host/files/printable.hpp"
#include "host/files/read_into.hpp"
#include "host/files/shape_text.hpp"
#include "host/files/weights_file.hpp"
#include "host/runtime/abi/handle.hpp"
#include "host/runtime/checkpoint/same_weights.hpp"
#include "host/runtime/checkpoint/tensors.hpp"
#include "host/runtime/dist/together.hpp"
#include "host/text_sink.hpp"
#include "host/weights/weights_plan.hpp"
#include "host/weights/weights_report.hpp"

namespace vissl::host {

namespace {

struct Located {
  std::string path;
  std::string keep;  // the branch of the names that is meant, "backbone."; empty = all
};

// Locators are the executable's matter: it has the plugins and the config that they need.
Located locate(const vissl_host& host, const std::string& locator) {
  const auto* api =
      static_cast<const vissl_locator_api*>(host.get_service(&host, str(VISSL_LOCATOR_ID)));
  if (api == nullptr) return {locator, ""};
  Located located;
  ErrorSink error;
  error.check(api->locate(
                  str(locator), &located,
                  [](void* self, const vissl_located* found) {
                    *static_cast<Located*>(self) = {text(found->path), text(found->keep)};
                  },
                  error.get()),
              "");
  return located;
}

// The branch `keep` alone, without its name.
std::vector<WeightsSource> kept(std::vector<WeightsSource> sources, const std::string& keep,
                                const std::string& path) {
  if (keep.empty()) return sources;
  std::vector<WeightsSource> branch;
  for (WeightsSource& source : sources) {
    const std::optional<BranchName> below = name_below(keep, source.name);
    if (!below) continue;
    source.name = below->place + below->rest;
    branch.push_back(std::move(source));
  }
  if (branch.empty()) throw_no_branch(keep, path);
  return branch;
}

std::string locator_of(const Instance& profile, const Setting& config) {
  const auto& table = profile.as<vissl_weights_profile_class>();
  if (table.locator == nullptr) return config.string("params_file");
  std::string locator;
  const vissl_out out = text_sink(locator);
  ErrorSink error;
  error.check(table.locator(profile.self(), &out, error.get()), config.where());
  return locator;
}

// Shares the file's memory, which `ref` keeps.
at::Tensor view_of(const TensorRef& ref) {
  const char* wrong = ref.invalid();
  if (wrong != nullptr) throw Error(Exit::bad_data, wrong);
  if (ref.numel() == 0) return from_file(ref);
  const auto type = static_cast<at::ScalarType>(static_cast<int>(ref.dtype));
  auto* data = const_cast<std::byte*>(ref.storage->bytes().data()) +
               static_cast<std::uint64_t>(ref.offset) * size_bytes(ref.dtype);
  return at::from_blob(data, ref.shape, ref.strides, at::TensorOptions().dtype(type));
}

// Whether the file has the bytes just as `to` has them in memory.
bool fits_bytes(const TensorRef& from, const at::Tensor& to) {
  return to.is_cpu() && to.is_contiguous() && from.dtype != DType::boolean &&
         static_cast<int>(from.dtype) == static_cast<int>(to.scalar_type()) &&
         from.invalid() == nullptr && from.is_contiguous();
}

ReadPiece piece(const TensorRef& from, const at::Tensor& to) {
  const std::uint64_t width = size_bytes(from.dtype);
  return {from.storage->bytes().subspan(static_cast<std::uint64_t>(from.offset) * width,
                                        static_cast<std::uint64_t>(from.numel()) * width),
          static_cast<std::byte*>(to.data_ptr())};
}

using Made = std::unordered_map<std::size_t, at::Tensor>;

// What the profile makes of the file's tensors, before anything is copied.
Made adapt_all(const WeightsPlan& plan, const Instance& profile) {
  Made made;
  const auto& table = profile.as<vissl_weights_profile_class>();
  for (std::size_t i = 0; i < plan.rows.size(); ++i) {
    const WeightsRow& row = plan.rows[i];
    if (row.fate != WeightsFate::adapted) continue;
    if (table.adapt == nullptr)
      throw Error(Exit::bad_plugin, profile.plugin_id() + ": the weights profile '" +
                                        profile.name() +
                                        "' plans to adapt tensors but has no adapt");
    std::vector<at::Tensor> sources;
    for (const std::uint64_t source : row.sources)
      sources.push_back(from_file(*plan.sources[source].tensor));
    const std::vector<vissl_tensor*> handles = borrow_all(sources);
    const WeightsTarget& target = plan.targets[i];
    const vissl_weights_entry entry = entry_of(target.name, target.dtype, target.shape);
    vissl_tensor* out = nullptr;
    ErrorSink error;
    error.check(table.adapt(profile.self(), row.recipe, handles.data(), handles.size(), &entry,
                            &out, error.get()),
                plan.file + ": " + target.name + ": " + row.what);
    at::Tensor result = take(out);
    if (!result.defined() || result.sizes() != at::IntArrayRef(target.shape))
      throw Error(Exit::bad_plugin,
                  profile.plugin_id() + ": adapting '" + target.name + "' (" + row.what +
                      ") gave " +
                      (result.defined() ? "shape " + shape_text(result.sizes().vec()) : "nothing") +
                      " for " + shape_text(target.shape));
    made.emplace(i, std::move(result));
  }
  return made;
}

// What a rank has at hand before anything is copied.
struct Prepared {
  std::unique_ptr<Instance> profile;
  WeightsFile file;
  std::vector<Entry*> entries;  // of the plan's targets
  WeightsPlan plan;             // borrows the file's tensors
};

// Texts of a foreign file may hold what steers a terminal.
WeightsFile read_file(const std::string& path, const WeightsReadOptions& options) {
  try {
    return read_weights_file(path, options);
  } catch (const Error& error) {
    throw Error(error.code(), printable(error.what()));
  }
}

void prepare(Prepared& to, Model& model, const std::string& locator, const Services& services) {
  const Located located = locate(*services.host, locator);
  const std::string& path = located.path;
  WeightsReadOptions options;
  options.formats = services.weights_formats;
  to.file = read_file(path, options);
  std::vector<WeightsTarget> targets;
  for (const auto& e : model.store().entries()) {
    if (!e->saved()) continue;
    targets.push_back({e->name, static_cast<DType>(static_cast<int>(e->tensor.scalar_type())),
                       e->tensor.sizes().vec()});
    to.entries.push_back(e.get());
  }
  std::vector<WeightsSource> sources = tensors_of(to.file.tree);
  if (to.file.format == "safetensors") add_aliases(sources, to.file.metadata);
  to.plan = plan_weights(path, to.file.format, kept(std::move(sources), located.keep, path),
                         std::move(targets), to.profile->as<vissl_weights_profile_class>(),
                         to.profile->self());
  std::vector<WeightsMessage> warnings;
  for (const std::string& warning : to.file.warnings)
    warnings.push_back({VISSL_LOG_WARNING, path + ": " + printable(warning)});
  to.plan.messages.insert(to.plan.messages.begin(), warnings.begin(), warnings.end());
}

void say_messages(Logger& log, const WeightsPlan& plan) {
  for (const WeightsMessage& message : plan.messages)
    log.log(static_cast<LogLevel>(std::min<std::uint32_t>(message.level, 3)), message.line);
}

// Below a line of the log, which ends the last one itself.
std::string report_below(const WeightsPlan& plan, LoadStage stage) {
  std::string report = text_report(plan, stage);
  if (!report.empty()) report.pop_back();
  return "\n" + report;
}

// What the file has for the model stands before the error, so that it shows what to set.
void judge_loudly(Logger& log, const WeightsPlan& plan, const WeightsGate& gate) {
  try {
    judge(plan, gate);
  } catch (const Error&) {
    say_messages(log, plan);
    log.log(LogLevel::info,
            "what " + plan.file + " has for this model:" + report_below(plan, LoadStage::refused));
    throw;
  }
}

void say_summary(Logger& log, const WeightsPlan& plan, LoadStage stage) {
  const bool whole = stage == LoadStage::planned;
  log.log(LogLevel::info, summary_line(plan, stage) + (whole ? report_below(plan, stage) : ""));
  if (plan.coverage() < kWarnCoverage)
    log.log(LogLevel::warning,
            plan.file + ": only " + percent(plan.coverage()) +
                " of the trunk's elements come from it; not there: " + missing_names(plan, 5));
}

void copy(const Prepared& from) {
  const torch::autograd::AutoGradMode no_grad(false);
  const WeightsPlan& plan = from.plan;
  const Made made = adapt_all(plan, *from.profile);
  std::vector<ReadPiece> pieces;
  for (std::size_t i = 0; i < plan.rows.size(); ++i) {
    const WeightsRow& row = plan.rows[i];
    at::Tensor& to = from.entries[i]->tensor;
    if (row.fate == WeightsFate::adapted) to.copy_(made.at(i));
    if (row.fate != WeightsFate::loaded || to.numel() == 0) continue;
    const TensorRef& source = *plan.sources[row.sources.front()].tensor;
    if (fits_bytes(source, to)) {
      pieces.push_back(piece(source, to));
    } else {
      to.copy_(view_of(source).reshape(to.sizes()));
      MappedFile::let_go(source.storage->bytes());
    }
  }
  read_into(std::move(pieces), at::get_num_threads());
}

std::vector<at::Tensor> tensors_in(const std::vector<Entry*>& entries) {
  std::vector<at::Tensor> tensors;
  for (const Entry* entry : entries) tensors.push_back(entry->tensor);
  return tensors;
}

}  // namespace

LoadedWeights init_weights(Model& model, const Setting& config, const Services& services,
                           bool strict) {
  Logger& log = *services.log;
  Collectives& ranks = collectives();
  const bool dry_run = config.boolean("dry_run");
  const WeightsGate gate{config.number("min_coverage"), strict, config.string("profile") == "auto"};
  Prepared own;
  std::string locator;
  together(ranks, [&] {
    own.profile = services.catalogue->create("weights", config.value());
    locator = locator_of(*own.profile, config);
    if (locator.empty()) {
      const std::string none = config.where() + ": no file of weights is named";
      if (strict) throw Error(Exit::usage, none + "; give its params_file");
      log.log(LogLevel::warning, none + ": using random initialization");
      return;
    }
    prepare(own, model, locator, services);
    const std::string report = config.string("report");
    if (!report.empty() && ranks.rank() == 0) write_text_atomic(report, json_report(own.plan));
    judge_loudly(log, own.plan, gate);
  });
  if (locator.empty()) return {};
  check_same_layout(own.plan);
  say_messages(log, own.plan);
  if (dry_run) {
    say_summary(log, own.plan, LoadStage::planned);
    return {};
  }

  std::vector<std::uint32_t> sums;
  together(ranks, [&] {
    copy(own);
    if (ranks.world() > 1) sums = checksums(own.plan, tensors_in(own.entries));
  });
  check_same_values(own.plan, sums);
  say_summary(log, own.plan, LoadStage::loaded);
  return {summary_line(own.plan), text_report(own.plan)};
}

}  // namespace vissl::host
