#include "host/data/pipeline.hpp"

#include <vissl/collator.h>
#include <vissl/transform.h>

#include <algorithm>

#include "host/plugin/crash_note.hpp"

namespace vissl::host {
namespace {

// The parameter `indices` that every transform has: absent = all entries, else one or several.
std::vector<std::size_t> read_indices(const Value& indices) {
  std::vector<std::size_t> entries;
  const auto add = [&](const Value& value) {
    if (!value.is(Value::Type::integer) || value.as_int() < 0) {
      throw Error(Exit::usage,
                  value.origin().where() +
                      ": 'indices' must be a number of an entry of \"data\", from 0, or "
                      "a list of them, not " +
                      value.describe());
    }
    entries.push_back(static_cast<std::size_t>(value.as_int()));
  };
  if (indices.is_list()) {
    for (const Value& item : indices.items()) add(item);
  } else {
    add(indices);
  }
  std::sort(entries.begin(), entries.end());
  entries.erase(std::unique(entries.begin(), entries.end()), entries.end());
  return entries;
}

}  // namespace

Pipeline::Pipeline(const SplitSettings& settings, Catalogue& catalogue) {
  for (const Value* config : settings.transforms) {
    const std::string text = "data." + settings.name + ".transforms[" +
                             std::to_string(steps_.size()) + "] " + component_text(*config);
    const Value* indices = config->find("indices");
    const bool all = indices == nullptr || indices->is(Value::Type::none);
    steps_.push_back({catalogue.create("transform", config), text, all,
                      all ? std::vector<std::size_t>() : read_indices(*indices)});
    const auto& table = steps_.back().instance->as<vissl_transform_class>();
    if (table.apply_image == nullptr && table.apply_sample == nullptr) {
      throw Error(Exit::bad_plugin, text + " offers neither apply_image nor apply_sample");
    }
    if (table.apply_image == nullptr && !all) {
      throw Error(Exit::usage,
                  text + " works on the whole sample and cannot be restricted by 'indices'");
    }
  }
  collator_ = catalogue.create("collator", settings.collator);
  collator_text_ = "data." + settings.name + ".collator " + component_text(*settings.collator);
}

Pipeline::~Pipeline() = default;

void Pipeline::transform(Sample& sample) {
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    sample.set_position(static_cast<std::uint32_t>(i));
    apply(steps_[i], sample);
  }
}

void Pipeline::apply(Step& step, Sample& sample) {
  const auto& table = step.instance->as<vissl_transform_class>();
  if (table.apply_image == nullptr) {
    const InPlugin place(&crash_place(), *step.instance, "apply_sample");
    ErrorSink sink;
    sink.check(table.apply_sample(step.instance->self(), handle(&sample), sink.get()), step.text);
    return;
  }
  if (!step.all_entries) {
    for (const std::size_t entry : step.indices) apply_to_image(step, sample, entry);
    return;
  }
  const std::size_t count = sample.entry_count("data");
  for (std::size_t entry = 0; entry < count; ++entry) apply_to_image(step, sample, entry);
}

void Pipeline::apply_to_image(Step& step, Sample& sample, std::size_t entry) {
  Image* image = sample.image("data", entry);
  if (image == nullptr) {
    const std::size_t count = sample.entry_count("data");
    throw Error(Exit::usage,
                step.text + ": entry " + std::to_string(entry) + " of \"data\" " +
                    (entry < count ? "is an array and no image"
                                   : "does not exist; the sample has " + std::to_string(count)));
  }
  vissl_rng rng = sample.rng(entry);
  const InPlugin place(&crash_place(), *step.instance, "apply_image");
  ErrorSink sink;
  sink.check(step.instance->as<vissl_transform_class>().apply_image(
                 step.instance->self(), handle(image), &rng, sink.get()),
             step.text);
}

void Pipeline::layout(Sample& first, std::int64_t count, BatchBuilder& batch) {
  const InPlugin place(&crash_place(), *collator_, "layout");
  ErrorSink sink;
  sink.check(collator_->as<vissl_collator_class>().layout(collator_->self(), handle(&first), count,
                                                          handle(&batch), sink.get()),
             collator_text_);
}

void Pipeline::place(std::int64_t position, std::int64_t count, Sample& sample,
                     BatchBuilder& batch) {
  const InPlugin in(&crash_place(), *collator_, "place");
  ErrorSink sink;
  sink.check(collator_->as<vissl_collator_class>().place(
                 collator_->self(), position, count, handle(&sample), handle(&batch), sink.get()),
             collator_text_);
}

void Pipeline::finish(BatchBuilder& batch) {
  const auto& table = collator_->as<vissl_collator_class>();
  if (table.finish == nullptr) return;
  const InPlugin place(&crash_place(), *collator_, "finish");
  ErrorSink sink;
  sink.check(table.finish(collator_->self(), handle(&batch), sink.get()), collator_text_);
}

}  // namespace vissl::host
