#include "host/plugin/conformance/contract_checks.hpp"

#include <malloc.h>
#include <vissl/events.h>
#include <vissl/loss.h>
#include <vissl/state.h>

#include <algorithm>
#include <set>

#include "host/plugin/conformance/slots.hpp"
#include "host/plugin/kinds.hpp"

namespace vissl::host {
namespace {

constexpr Outcome kWarn = Outcome::warn, kFail = Outcome::fail;

Verdict check_declaration(Subject& subject) {
  if (subject.kind() == "weights_format" && !subject.declaration().params.empty())
    return {kFail, "declares the parameter '" + subject.declaration().params.front().name +
                       "', which nobody can set: a config has no place for a format's; remove it"};
  for (const Param& param : subject.declaration().params)
    if (param.doc.empty())
      return {kWarn, "says nothing about its parameter '" + param.name +
                         "'; describe it in one sentence with the unit"};
  const std::size_t count = subject.declaration().params.size();
  return {Outcome::ok, count == 0 ? "no parameters" : std::to_string(count) + " parameters"};
}

const void* extension_of(Subject& subject, const char* id) {
  const vissl_component& component = subject.component();
  if (component.size < sizeof(vissl_component) || component.get_extension == nullptr)
    return nullptr;
  const std::string_view text = id;
  return component.get_extension({text.data(), text.size()});
}

Verdict check_methods(Subject& subject) {
  const void* table = subject.component().table;
  if (const std::string missing = missing_slot(subject.kind(), table); !missing.empty())
    return {kFail, "its class table has no " + missing + ", which the host calls"};
  if (subject.kind() == "loss" &&
      static_cast<const vissl_loss_class*>(table)->rank_reduction > VISSL_REDUCTION_LOCAL)
    return {kFail, "its rank_reduction is none of VISSL_REDUCTION_…"};
  const auto* events =
      static_cast<const vissl_events_class*>(extension_of(subject, VISSL_EVENTS_ID));
  const auto* state = static_cast<const vissl_state_class*>(extension_of(subject, VISSL_STATE_ID));
  if (events != nullptr && (events->size < sizeof(*events) || events->on_event == nullptr))
    return {kFail, "offers events but no on_event"};
  if (events != nullptr && (events->mask >> VISSL_EVENT_COUNT) != 0)
    return {kFail, "wants events that this host does not know; use VISSL_EVENT_… in its mask"};
  if (state != nullptr &&
      (state->size < sizeof(*state) || state->save == nullptr || state->load == nullptr))
    return {kFail, "offers a state but not both save and load"};
  if (subject.kind() == "hook" && (events == nullptr || events->mask == 0))
    return {kWarn, "wants no event, so it never acts"};
  return {};
}

Verdict check_create(Subject& subject) {
  const Made first = subject.create(subject.config());
  const Made second = subject.create(subject.config());
  // Destroyed in the reverse order here, in the same order below.
  {
    auto third = std::make_unique<Made>(subject.create(subject.config()));
    const Made fourth = subject.create(subject.config());
    third.reset();
  }
  return {};
}

// A loop that a leak would show up in; the first rounds fill caches.
Verdict check_memory(Subject& subject) {
  constexpr int kRounds = 100;
  constexpr std::size_t kSlack = 16 * kRounds;  // bytes
  const auto used = [] {
    const struct mallinfo2 info = ::mallinfo2();
    return info.uordblks + info.hblkhd;
  };
  const Value& config = subject.config();
  std::size_t before = 0;
  for (int phase = 0; phase < 2; ++phase) {
    before = used();
    for (int i = 0; i < kRounds; ++i) subject.create(config);
  }
  const std::size_t after = used();
  if (after > before + kSlack)
    return {kFail, "keeps " + std::to_string((after - before) / kRounds) +
                       " bytes of each instance after destroy; free them there"};
  return {};
}

// Keys that the host itself reads of a component's table.
bool belongs_to_host(const std::string& kind, const std::string& key) {
  return key == "name" || (kind == "transform" && key == "indices") ||
         (kind == "lr_schedule" && (key == "auto_lr_scaling" || key == "update_interval"));
}

Verdict check_undeclared(Subject& subject) {
  const Declaration& declaration = subject.declaration();
  const Value& config = subject.config();
  for (const std::string& key : keys_read(config, [&] { subject.create(config); }))
    if (!belongs_to_host(subject.kind(), key) && declaration.find(key) == nullptr)
      return {kFail, "create reads the parameter '" + key +
                         "', which is not declared, so nobody can set it; declare it"};
  return {};
}

Verdict check_unread(Subject& subject) {
  const Value& config = subject.config();
  const std::vector<std::string> read = keys_read(config, [&] { subject.create(config); });
  for (const Param& param : subject.declaration().params)
    if (!param.has(VISSL_P_DEPRECATED) && param.min != param.max &&
        !belongs_to_host(subject.kind(), param.name) && config.find(param.name) != nullptr &&
        std::find(read.begin(), read.end(), param.name) == read.end())
      return {kWarn, "create never reads the declared parameter '" + param.name +
                         "', so setting it does nothing; use it or remove it"};
  return {};
}

// Configs that the host would refuse, for hosts and tests that hand them over all the same.
std::vector<Value> wrong_configs(Subject& subject) {
  std::vector<Value> out;
  Value bare = Value::table();
  bare.set("name", Value::text(subject.name()));
  out.push_back(bare);
  for (const Param& param : subject.declaration().params) {
    for (Value wrong : {Value::text("not what was declared"), Value::list(), Value::integer(-1)}) {
      Value config = subject.config();
      if (!mismatch(param, wrong)) continue;
      config.set(param.name, std::move(wrong));
      out.push_back(std::move(config));
    }
  }
  return out;
}

Verdict check_bad_values(Subject& subject) {
  std::size_t refused = 0;
  const std::vector<Value> configs = wrong_configs(subject);
  for (const Value& config : configs) {
    std::string text;
    if (subject.try_create(config, text) == nullptr) ++refused;
    // A sink is optional.
    void* self = nullptr;
    const vissl_status status =
        enter("create", [&] { return subject.head().create(&config, &self, nullptr); });
    if (status == VISSL_OK && self != nullptr) subject.head().destroy(self);
  }
  return {Outcome::ok, "refused " + std::to_string(refused) + " of " +
                           std::to_string(configs.size()) + " wrong configs, survived all"};
}

}  // namespace

const std::vector<SubjectCheck>& contract_checks() {
  static const std::vector<SubjectCheck> checks = {
      {"", "declaration", check_declaration},
      {"", "methods", check_methods},
      {"", "create", check_create, "declaration"},
      {"", "memory_of_instances", check_memory, "create"},
      {"", "undeclared", check_undeclared, "create"},
      {"", "unread", check_unread, "create"},
      {"", "bad_values", check_bad_values, "create"},
  };
  return checks;
}

bool needs_tensors(std::string_view kind) {
  for (const char* other : {"data_source", "transform", "collator", "sampler", "lr_schedule",
                            "weights", "weights_format", "weights_scheme"})
    if (kind == other) return false;
  return true;
}

}  // namespace vissl::host
