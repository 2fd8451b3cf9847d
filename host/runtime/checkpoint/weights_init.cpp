#include "host/runtime/checkpoint/weights_init.hpp"

#include <vissl/weights_scheme.h>

#include <algorithm>
#include <memory>
#include <set>
#include <vector>

#include "host/files/atomic_file.hpp"
#include "host/files/counted.hpp"
#include "host/files/download_notes.hpp"
#include "host/files/locator_text.hpp"
#include "host/files/weights_file.hpp"
#include "host/runtime/abi/handle.hpp"
#include "host/runtime/checkpoint/same_weights.hpp"
#include "host/runtime/checkpoint/weights_copy.hpp"
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

// What a rank has at hand of one table before anything is copied.
struct Prepared {
  std::unique_ptr<Instance> profile;
  std::string name;       // "model.weights_init[1]"
  std::string checksums;  // what comes of a wrong one
  WeightsFile file;
  std::vector<at::Tensor> tensors;  // of the plan's targets
  WeightsPlan plan;                 // borrows the file's tensors
};

struct Loading {
  std::vector<Prepared> tables;
  WeightsPlan whole;  // all of them, one after the other
};

// "trunk, heads.0, heads.1": what `part` may name.
std::string parts_of(Model& model) {
  std::vector<std::string> parts;
  for (const auto& e : model.store().entries()) {
    const std::size_t dot = e->name.find('.');
    const bool numbered = e->name.starts_with("heads.");
    std::string part = e->name.substr(0, numbered ? e->name.find('.', dot + 1) : dot);
    if (std::find(parts.begin(), parts.end(), part) == parts.end())
      parts.push_back(std::move(part));
  }
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

WeightsTarget target_of(const Entry& e) {
  return {e.name, static_cast<DType>(static_cast<int>(e.tensor.scalar_type())),
          e.tensor.sizes().vec()};
}

// The model's tensors below `part`, which is the setting `where`; all when it is empty.
std::vector<Entry*> entries_in(Model& model, const std::string& part, const std::string& where) {
  std::vector<Entry*> entries;
  for (const auto& e : model.store().entries())
    if (e->saved() && (part.empty() || e->name.starts_with(part + "."))) entries.push_back(e.get());
  if (entries.empty() && !part.empty())
    throw Error(Exit::usage,
                where + ": the model has no part '" + part + "'; it has " + parts_of(model));
  return entries;
}

std::vector<WeightsTarget> targets_of(const std::vector<Entry*>& entries) {
  std::vector<WeightsTarget> targets;
  for (const Entry* e : entries) targets.push_back(target_of(*e));
  return targets;
}

void prepare(Prepared& to, Model& model, const Setting& table, const std::string& locator,
             const Services& services) {
  const std::vector<Entry*> entries =
      entries_in(model, table.string("part"), table["part"].where());
  for (const Entry* e : entries) to.tensors.push_back(e->tensor);
  const Located located = locate(*services.host, locator);
  const std::string& path = located.path;
  WeightsReadOptions options;
  options.formats = services.weights_formats;
  options.dequantize = true;
  options.is_big_endian = table.string("byte_order") == "big";
  // From elsewhere: what only an attack would hold is no matter of a warning.
  options.refuse_suspicious = locator.find(path) == std::string::npos;
  to.checksums = table.string("checksums");
  to.file = read_weights_file(path, options);
  std::vector<WeightsSource> sources = tensors_of(to.file.tree);
  if (to.file.format == "safetensors") add_aliases(sources, to.file.metadata);
  to.plan = plan_weights(path, to.file.format, kept(std::move(sources), located.keep, path),
                         targets_of(entries), to.profile->as<vissl_weights_profile_class>(),
                         to.profile->self());
  std::vector<WeightsMessage> warnings;
  for (const std::string& warning : to.file.warnings)
    warnings.push_back({VISSL_LOG_WARNING, path + ": " + warning});
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

// What the files have for the model stands before the error, so that it shows what to set.
void judge_loudly(Logger& log, const Loading& loading, const WeightsGate& gate) {
  try {
    for (const Prepared& one : loading.tables) {
      WeightsGate own = gate;
      if (loading.tables.size() > 1) own.table = one.name;
      judge_match(one.plan, own);
    }
    judge(loading.whole, loading.tables.size(), gate);
  } catch (const Error&) {
    for (const Prepared& one : loading.tables) {
      say_messages(log, one.plan);
      log.log(LogLevel::info, "what " + one.plan.file + " has for this model:" +
                                  report_below(one.plan, LoadStage::refused));
    }
    throw;
  }
}

// One line for each file, and for several what stays as initialised after all of them.
std::vector<std::string> summaries(const Loading& loading, LoadStage stage) {
  const bool alone = loading.tables.size() == 1;
  std::vector<std::string> lines;
  for (const Prepared& one : loading.tables) lines.push_back(summary_line(one.plan, stage, alone));
  const std::string missing = missing_names(loading.whole, 5);
  if (!alone && !missing.empty()) lines.back() += "; as initialised after all: " + missing;
  return lines;
}

void say_summaries(Logger& log, const Loading& loading, LoadStage stage) {
  const std::vector<std::string> lines = summaries(loading, stage);
  for (std::size_t i = 0; i < lines.size(); ++i)
    log.log(LogLevel::info,
            lines[i] +
                (stage == LoadStage::planned ? report_below(loading.tables[i].plan, stage) : ""));
  const WeightsPlan& whole = loading.whole;
  if (whole.coverage() < kWarnCoverage)
    log.log(LogLevel::warning, whole.file + ": only " + percent(whole.coverage()) +
                                   " of the trunk's elements come from " +
                                   (loading.tables.size() > 1 ? "them" : "it") +
                                   "; not there: " + missing_names(whole, 5));
}

// Nothing = the table names no file, which is told.
bool prepare_table(Prepared& to, Model& model, const Setting& table, const Services& services,
                   bool strict) {
  to.profile = services.catalogue->create("weights", table.value());
  const std::string locator = locator_of(*to.profile, table);
  if (locator.empty()) {
    const std::string none = table.where() + ": no file of weights is named";
    if (strict) throw Error(Exit::usage, none + "; give its params_file");
    services.log->log(LogLevel::warning, none + ": using random initialization");
    return false;
  }
  prepare(to, model, table, locator, services);
  const std::string report = table.string("report");
  if (!report.empty() && collectives().rank() == 0) write_text_atomic(report, json_report(to.plan));
  return true;
}

void check_reports(const std::vector<Setting>& tables) {
  std::set<std::string> reports;
  for (const Setting& table : tables) {
    const std::string report = table.string("report");
    if (!report.empty() && !reports.insert(report).second)
      throw Error(Exit::usage, table["report"].where() +
                                   ": two tables of model.weights_init write '" + report +
                                   "'; name another file for one of them");
  }
}

Loading prepare_all(Model& model, const std::vector<Setting>& tables, const Services& services,
                    bool strict) {
  check_reports(tables);
  Loading loading;
  WeightsGate gate{1, strict, true};
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const Setting& table = tables[i];
    Prepared one;
    one.name = "model.weights_init[" + std::to_string(i) + "]";
    if (!prepare_table(one, model, table, services, strict)) continue;
    loading.tables.push_back(std::move(one));
    gate.min_coverage = std::min(gate.min_coverage, table.number("min_coverage"));
    gate.is_auto = gate.is_auto && table.string("profile") == "auto";
  }
  if (loading.tables.empty()) return loading;
  std::vector<const WeightsPlan*> plans;
  for (const Prepared& one : loading.tables) plans.push_back(&one.plan);
  loading.whole = joined(plans, targets_of(entries_in(model, "", "")));
  judge_loudly(*services.log, loading, gate);
  return loading;
}

void check_sums(Logger& log, const Prepared& one) {
  if (one.checksums == "off") return;
  const std::vector<std::string> damaged = damaged_weights(one.plan, one.tensors);
  if (damaged.empty()) return;
  const std::string text =
      one.plan.file + ": the data of " + counted(damaged.size(), "tensor") +
      " has another checksum than the file says, so it is damaged: " + first_names(damaged, 5) +
      "; use another copy of the file" + download_remedy(one.plan.file);
  if (one.checksums == "error") throw Error(Exit::bad_data, text);
  log.log(LogLevel::warning, text + " (checksums = \"error\" of [model.weights_init] refuses it)");
}

// What a profile makes of tensors comes before the first copy; a file whose data cannot be read, or
// is damaged, may end it later.
void copy_all(Logger& log, const std::vector<Prepared>& all) {
  std::vector<Adapted> adapted;
  for (const Prepared& one : all) adapted.push_back(adapt_weights(one.plan, *one.profile));
  for (std::size_t i = 0; i < all.size(); ++i) {
    copy_weights(all[i].plan, adapted[i], all[i].tensors);
    check_sums(log, all[i]);
  }
}

}  // namespace

std::vector<Setting> weights_tables(const Setting& weights_init) {
  if (!weights_init) return {};
  if (weights_init.type() != VISSL_VALUE_LIST) return {weights_init};
  std::vector<Setting> tables;
  for (std::size_t i = 0; i < weights_init.size(); ++i) tables.push_back(weights_init.at(i));
  return tables;
}

bool only_planned(const Setting& weights_init) {
  const std::vector<Setting> tables = weights_tables(weights_init);
  return std::any_of(tables.begin(), tables.end(),
                     [](const Setting& table) { return table.boolean("dry_run"); });
}

LoadedWeights init_weights(Model& model, const Setting& config, const Services& services,
                           bool strict) {
  Logger& log = *services.log;
  Collectives& ranks = collectives();
  const bool dry_run = only_planned(config);
  Loading loading;
  together(ranks, [&] { loading = prepare_all(model, weights_tables(config), services, strict); });
  const std::vector<Prepared>& tables = loading.tables;
  if (tables.empty()) return {};
  for (const Prepared& one : tables) check_same_layout(one.plan);
  for (const Prepared& one : tables) say_messages(log, one.plan);
  if (dry_run) {
    say_summaries(log, loading, LoadStage::planned);
    return {};
  }

  std::vector<std::vector<std::uint32_t>> sums;
  together(ranks, [&] {
    copy_all(log, tables);
    if (ranks.world() > 1)
      for (const Prepared& one : tables) sums.push_back(checksums(one.plan, one.tensors));
  });
  for (std::size_t i = 0; i < sums.size(); ++i) check_same_values(tables[i].plan, sums[i]);
  say_summaries(log, loading, LoadStage::loaded);
  LoadedWeights loaded;
  for (const std::string& line : summaries(loading, LoadStage::loaded))
    loaded.summary += (loaded.summary.empty() ? "" : "; then ") + line;
  for (const Prepared& one : tables) loaded.report += text_report(one.plan);
  return loaded;
}

}  // namespace vissl::host
