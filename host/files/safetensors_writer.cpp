#include "host/files/safetensors_writer.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "host/files/atomic_file.hpp"
#include "host/files/damage.hpp"
#include "host/files/error.hpp"
#include "host/files/safetensors_dtypes.hpp"
#include "host/files/utf8.hpp"

namespace vissl::host {
namespace {

struct Entry {
  const std::string* name;
  const TensorRef* tensor;
  const SafetensorsType* type;
};

[[noreturn]] void refuse(const std::string& what) {
  throw Error(Exit::run_failed, "cannot write safetensors: " + what);
}

std::string json_text(const std::string& text) {
  if (!is_utf8(text)) refuse("the name " + quoted_name(text) + " is not UTF-8");
  return nlohmann::json(text).dump();
}

std::vector<Entry> sorted(const NamedTensors& tensors) {
  std::vector<Entry> entries;
  for (const auto& [name, tensor] : tensors) {
    const auto* type = std::ranges::find(kSafetensorsTypes, tensor.dtype, &SafetensorsType::dtype);
    if (type == kSafetensorsTypes.end()) {
      refuse("it has no element type " + std::string(facts(tensor.dtype).name) + ", which " +
             quoted_name(name) + " has; write a torch file, or leave it out");
    }
    if (const char* problem = tensor.invalid()) refuse(quoted_name(name) + " is " + problem);
    if (name == "__metadata__") refuse("no tensor can be called '__metadata__'; rename it");
    entries.push_back({&name, &tensor, type});
  }
  std::ranges::sort(entries, [](const Entry& a, const Entry& b) {
    return a.type != b.type ? a.type > b.type : *a.name < *b.name;
  });
  std::vector<std::string_view> names;
  for (const Entry& entry : entries) names.push_back(*entry.name);
  std::ranges::sort(names);
  if (const auto twice = std::ranges::adjacent_find(names); twice != names.end()) {
    refuse("two tensors are called " + quoted_name(*twice) + "; rename one");
  }
  return entries;
}

std::uint64_t data_bytes(const TensorRef& tensor) {
  return static_cast<std::uint64_t>(tensor.numel()) * size_bytes(tensor.dtype);
}

std::string header_of(const std::vector<Entry>& entries, const TextPairs& metadata) {
  std::string header = "{";
  if (!metadata.empty()) {
    header += "\"__metadata__\":{";
    for (const auto& [key, value] : metadata) {
      header += (header.back() == '{' ? "" : ",") + json_text(key) + ":" + json_text(value);
    }
    header += "}";
  }
  std::uint64_t at = 0;
  for (const Entry& entry : entries) {
    header += (header.size() == 1 ? "" : ",") + json_text(*entry.name) + ":{\"dtype\":\"" +
              std::string(entry.type->name) + "\",\"shape\":[";
    for (std::size_t d = 0; d < entry.tensor->shape.size(); ++d) {
      std::int64_t size = entry.tensor->shape[d];
      // torch counts the bytes of two elements, the format elements.
      if (entry.type->bits == 4 && d + 1 == entry.tensor->shape.size()) size *= 2;
      header += (d == 0 ? "" : ",") + std::to_string(size);
    }
    const std::uint64_t end = at + data_bytes(*entry.tensor);
    header += "],\"data_offsets\":[" + std::to_string(at) + "," + std::to_string(end) + "]}";
    at = end;
  }
  header += "}";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  return header;
}

}  // namespace

void write_safetensors(Sink& sink, const NamedTensors& tensors, const TextPairs& metadata) {
  const std::vector<Entry> entries = sorted(tensors);
  const std::string header = header_of(entries, metadata);
  std::string size(8, '\0');
  for (std::size_t i = 0; i < size.size(); ++i) {
    size[i] = static_cast<char>(header.size() >> (8 * i));
  }
  sink.write_text(size + header);
  for (const Entry& entry : entries) {
    const TensorRef& tensor = *entry.tensor;
    if (!tensor.is_contiguous() || tensor.dtype == DType::boolean) {
      sink.write(tensor.packed());
    } else if (const std::uint64_t bytes = data_bytes(tensor); bytes > 0) {
      const std::uint64_t offset =
          static_cast<std::uint64_t>(tensor.offset) * size_bytes(tensor.dtype);
      sink.write(tensor.storage->bytes().subspan(offset, bytes));
    }
  }
}

void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                       const TextPairs& metadata) {
  AtomicFile file(path);
  write_safetensors(file, tensors, metadata);
  file.commit();
}

}  // namespace vissl::host
