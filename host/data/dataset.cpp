#include "host/data/dataset.hpp"

#include <numeric>
#include <utility>

#include "host/data/guard.hpp"
#include "host/plugin/crash_note.hpp"

namespace vissl::host {
namespace {

// VISSL's queue dataset keeps no image that is larger.
constexpr std::int64_t kLargestReplacement = 10'000'000;  // pixels

bool is_class(const vissl_array& label) {
  return label.ndim == 0 && (label.dtype == VISSL_I64 || label.dtype == VISSL_I32);
}

// Labels of 32-bit integers become 64-bit ones, others stay.
Array widened(const vissl_array& label) {
  if (label.dtype != VISSL_I32) return Array(label);
  std::vector<std::int64_t> wide(static_cast<std::size_t>(element_count(label.shape, label.ndim)));
  convert_elements(label.data, VISSL_I32, wide.data(), VISSL_I64,
                   static_cast<std::int64_t>(wide.size()));
  vissl_array view = label;
  view.dtype = VISSL_I64;
  view.data = wide.data();
  return Array(view);
}

}  // namespace

Dataset::Dataset(SplitSettings settings, Catalogue& catalogue) : settings_(std::move(settings)) {
  open_sources(catalogue);
  check_lengths();
  const Source& first = data_.front();
  const std::int64_t source_length = first.table().length(first.self());
  if (source_length > 0) check_labels();
  read_class_labels(source_length);
  if (auto kept = limited_indices(settings_.limit, source_length, class_labels_, where())) {
    kept_ = std::move(*kept);
    limited_ = true;
    if (!class_labels_.empty() && settings_.label_type != LabelType::sample_index) {
      std::vector<std::int64_t> labels(kept_.size());
      for (std::size_t i = 0; i < kept_.size(); ++i) {
        labels[i] = class_labels_[static_cast<std::size_t>(kept_[i])];
      }
      class_labels_ = std::move(labels);
    } else if (!class_labels_.empty()) {
      class_labels_.resize(kept_.size());  // the position after the limit is the label
    }
  }
  length_ = limited_ ? static_cast<std::int64_t>(kept_.size()) : source_length;
}

Dataset::~Dataset() = default;

void Dataset::open_sources(Catalogue& catalogue) {
  const auto open = [&](const Value* config) {
    Source source{config, catalogue.create("data_source", config)};
    ErrorSink sink;
    sink.check(source.table().open(source.self(), sink.get()), where() + ": " + source.text());
    return source;
  };
  for (const Value* config : settings_.data_sources) {
    data_.push_back(open(config));
    const vissl_data_source_class& table = data_.back().table();
    if (table.reader_create == nullptr || table.read == nullptr) {
      throw Error(Exit::usage, where() + ": " + data_.back().text() +
                                   " gives labels only; put it into label_sources");
    }
  }
  for (std::size_t i = 0; i < settings_.label_sources.size(); ++i) {
    const Value* config = settings_.label_sources[i];
    // The source that also gives the images, as with folders, is scanned once.
    if (i < data_.size() && same(*config, *data_[i].config)) {
      labels_.push_back({config, data_[i].instance});
    } else {
      labels_.push_back(open(config));
    }
  }
  if (labels_.empty() && settings_.label_type == LabelType::standard) labels_ = data_;
}

void Dataset::check_lengths() const {
  const Source& first = data_.front();
  const std::int64_t length = first.table().length(first.self());
  const auto check = [&](const Source& other) {
    const std::int64_t other_length = other.table().length(other.self());
    if (other_length == length) return;
    throw Error(Exit::usage, where() + ": " + first.text() + " has " + std::to_string(length) +
                                 " samples and " + other.text() + " has " +
                                 std::to_string(other_length) +
                                 "; sources that run in parallel need the same number");
  };
  for (const Source& source : data_) check(source);
  for (const Source& source : labels_) check(source);
}

void Dataset::check_labels() const {
  for (const Source& source : labels_) {
    vissl_array label{};
    ErrorSink sink;
    const vissl_status status = source.table().label == nullptr
                                    ? VISSL_E_UNSUPPORTED
                                    : source.table().label(source.self(), 0, &label, sink.get());
    if (status == VISSL_E_UNSUPPORTED) {
      throw Error(Exit::usage,
                  where() + ": " + source.text() +
                      " has no labels; give label_sources, or set label_type to \"sample_index\" "
                      "or \"zero\"");
    }
    sink.check(status, where() + ": " + source.text() + ", label of sample 0");
  }
}

void Dataset::read_class_labels(std::int64_t source_length) {
  std::vector<std::int64_t> labels(static_cast<std::size_t>(source_length));
  if (!labels_.empty()) {
    for (std::int64_t i = 0; i < source_length; ++i) {
      if (!label_of(i, &labels[static_cast<std::size_t>(i)])) return;
    }
  } else if (settings_.label_type == LabelType::sample_index) {
    std::iota(labels.begin(), labels.end(), 0);
  }
  class_labels_ = std::move(labels);
}

bool Dataset::label_of(std::int64_t file_index, std::int64_t* out) const {
  const Source& source = labels_.front();
  vissl_array label{};
  ErrorSink sink;
  sink.check(source.table().label(source.self(), file_index, &label, sink.get()),
             where() + ": " + source.text() + ", label of sample " + std::to_string(file_index));
  if (!is_class(label)) return false;
  convert_elements(label.data, label.dtype, out, VISSL_I64, 1);
  return true;
}

std::int64_t Dataset::file_index(std::int64_t index) const {
  if (index < 0 || index >= length_) {
    throw Error(Exit::run_failed, where() + " has " + std::to_string(length_) +
                                      " samples, and sample " + std::to_string(index) +
                                      " was asked for");
  }
  return limited_ ? kept_[static_cast<std::size_t>(index)] : index;
}

vissl_status Dataset::label(std::int64_t index, vissl_array* out, vissl_err* err) const {
  const Source* source = nullptr;
  std::int64_t file = 0;
  const vissl_status status = guarded(err, [&] {
    file = file_index(index);
    if (!class_labels_.empty()) {
      *out = {
          sizeof(vissl_array), VISSL_I64, 0, {}, &class_labels_[static_cast<std::size_t>(index)]};
    } else {
      source = &labels_.front();
    }
  });
  if (status != VISSL_OK || source == nullptr) return status;
  return source->table().label(source->self(), file, out, err);
}

std::string Dataset::path(std::int64_t index) const {
  const Source& source = data_.front();
  return std::string(view_of(source.table().path(source.self(), file_index(index))));
}

void Dataset::add_labels(std::int64_t index, Sample& sample) const {
  if (labels_.empty()) {
    const std::int64_t label = settings_.label_type == LabelType::zero ? 0 : index;
    for (std::size_t i = 0; i < data_.size(); ++i) {
      sample.set_array("label", i, Array::scalar(label));
    }
    return;
  }
  const std::int64_t file = file_index(index);
  for (std::size_t i = 0; i < labels_.size(); ++i) {
    vissl_array label{};
    ErrorSink sink;
    sink.check(labels_[i].table().label(labels_[i].self(), file, &label, sink.get()),
               where() + ": " + labels_[i].text() + ", label of sample " + std::to_string(file));
    sample.set_array("label", i, widened(label));
  }
}

Dataset::Reader::Reader(const Dataset& dataset) : dataset_(dataset) {
  readers_.reserve(dataset.data_.size());
  for (const Source& source : dataset.data_) {
    SourceReader reader{&source.table(), nullptr};
    ErrorSink sink;
    const vissl_status status =
        reader.table->reader_create(source.self(), &reader.self, sink.get());
    if (status != VISSL_OK) {
      for (const SourceReader& made : readers_) made.table->reader_destroy(made.self);
      sink.check(status, dataset.where() + ": " + source.text());
    }
    readers_.push_back(reader);
  }
}

Dataset::Reader::~Reader() {
  for (const SourceReader& reader : readers_) reader.table->reader_destroy(reader.self);
}

// Empty text = the image was read.
std::string Dataset::Reader::try_read(std::size_t source, std::int64_t index, bool decode,
                                      Image& image) {
  const SourceReader& reader = readers_[source];
  image = Image();
  const InPlugin place(&crash_place(), *dataset_.data_[source].instance, "read");
  ErrorSink sink;
  const vissl_status status =
      reader.table->read(reader.self, dataset_.file_index(index), handle(&image), sink.get());
  if (status != VISSL_OK) return sink.text().empty() ? "the source failed" : sink.text();
  if (image.empty()) return "the source left the image empty";
  if (decode) {
    try {
      image.settle();
    } catch (const Error& error) {
      return error.what();
    }
  }
  return {};
}

bool Dataset::Reader::replace(std::size_t source, std::span<const std::int64_t> before,
                              Image& image) {
  for (std::size_t i = before.size(); i-- > 0;) {
    if (!try_read(source, before[i], true, image).empty()) continue;
    const Image::Info info = image.info();
    if (info.width * info.height <= kLargestReplacement) return true;
  }
  return false;
}

void Dataset::Reader::read(Sample& sample, bool decode, std::span<const std::int64_t> before,
                           std::vector<Unreadable>& unreadable) {
  const std::int64_t index = sample.stream().index;
  for (std::size_t i = 0; i < readers_.size(); ++i) {
    Image& image = sample.add_image("data");
    std::int64_t valid = 1;
    const std::string failure = try_read(i, index, decode, image);
    if (!failure.empty()) {
      const Source& source = dataset_.data_[i];
      const vissl_str path = source.table().path(source.self(), dataset_.file_index(index));
      unreadable.push_back({std::string(view_of(path)), failure});
      if (!dataset_.settings_.queue_dataset || !replace(i, before, image)) {
        const int side = static_cast<int>(dataset_.settings_.gray_size);
        image.set_pixels(pixel::Pixels(side, side, 3, 128));
        valid = -1;
      }
    }
    sample.set_array("data_valid", i, Array::scalar(valid));
    sample.set_array("data_idx", i, Array::scalar(index));
  }
  dataset_.add_labels(index, sample);
}

}  // namespace vissl::host
