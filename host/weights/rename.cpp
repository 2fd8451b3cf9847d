#include "host/weights/rename.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <set>

#include "host/abi_text.hpp"
#include "host/boundary.hpp"
#include "host/files/damage.hpp"
#include "host/weights/part.hpp"

namespace vissl::host {
namespace {

// One element of that value; only 0 and 1 are asked for, which every type has.
std::vector<std::byte> element(DType dtype, double value) {
  std::vector<std::byte> bytes(size_bytes(dtype));
  const auto put = [&bytes](auto number) { std::memcpy(bytes.data(), &number, bytes.size()); };
  switch (dtype) {
    case DType::float32:
      put(static_cast<float>(value));
      break;
    case DType::float64:
      put(value);
      break;
    case DType::bfloat16:
      put(static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(static_cast<float>(value)) >>
                                     16));
      break;
    case DType::float16:
      put(static_cast<std::uint16_t>(value == 0 ? 0 : 0x3c00));
      break;
    default:
      throw Error(Exit::usage, "a further tensor of the type " + std::string(facts(dtype).name) +
                                   " is asked for, but only floating types can be made; use "
                                   "another version of the weights component's plugin");
  }
  return bytes;
}

TensorRef filled(const TensorRef& like, double value) {
  const std::vector<std::byte> one = element(like.dtype, value);
  std::vector<std::byte> all;
  for (std::int64_t i = 0; i < like.numel(); ++i) all.insert(all.end(), one.begin(), one.end());
  return TensorRef::contiguous(like.dtype, like.shape, Storage::copy_of(all));
}

// Takes what the profile says. Nothing may be thrown through it: what is wrong is noted, and told
// afterwards.
class Collector {
 public:
  explicit Collector(const std::vector<WeightsSource>& sources)
      : sources_(sources), mentioned_(sources.size()) {
    sink_.size = sizeof sink_;
    sink_.self = this;
    sink_.keep = [](void* self, std::uint64_t entry, vissl_str place, vissl_str name,
                    std::uint32_t change) {
      of(self).noting([&] { of(self).keep(entry, text_of(place), text_of(name), change); });
    };
    sink_.drop = [](void* self, std::uint64_t entry, vissl_str reason) {
      of(self).noting([&] {
        of(self).contents.left_out.push_back({of(self).mention(entry).name, text_of(reason)});
      });
    };
    sink_.fill = [](void* self, std::uint64_t like, vissl_str place, vissl_str name, double value) {
      of(self).noting([&] {
        of(self).put(text_of(place), text_of(name), filled(*of(self).source(like).tensor, value));
      });
    };
    sink_.text = [](void* self, vissl_str name, vissl_str value) {
      of(self).noting([&] { of(self).extras_.emplace_back(text_of(name), text_of(value)); });
    };
    sink_.flag = [](void* self, vissl_str name, std::int32_t value) {
      of(self).noting([&] { of(self).extras_.emplace_back(text_of(name), value != 0); });
    };
    sink_.message = [](void* self, std::uint32_t level, vissl_str line) {
      of(self).noting([&] { of(self).messages.push_back({level, text_of(line)}); });
    };
  }
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  const vissl_weights_rename_sink* sink() const { return &sink_; }

  // What the profile gave, whole.
  void finish(const std::string& file, Container container) {
    if (!wrong_.empty()) throw Error(Exit::usage, file + ": " + wrong_);
    if (names_.empty())
      throw Error(Exit::usage, file + ": no tensor is left; nothing would be written");
    for (std::size_t i = 0; i < sources_.size(); ++i)
      if (!mentioned_[i]) contents.left_out.push_back({sources_[i].name, "not covered"});
    for (auto& [name, value] : extras_) {
      if (container == Container::safetensors)
        contents.metadata.emplace_back(name, value.kind() == Node::Kind::text
                                                 ? value.as_text()
                                                 : (value.as_bool() ? "True" : "False"));
      else
        contents.tree[name] = value;
    }
  }

  Contents contents;
  std::vector<WeightsMessage> messages;

 private:
  static Collector& of(void* self) { return *static_cast<Collector*>(self); }
  template <class Step>
  void noting(Step&& step) noexcept {
    try {
      step();
    } catch (const std::exception& error) {
      if (wrong_.empty()) wrong_ = error.what();
    }
  }
  const WeightsSource& source(std::uint64_t entry) const {
    if (entry >= sources_.size())
      throw Error(Exit::usage, "the weights component asks for tensor " + std::to_string(entry) +
                                   " of " + std::to_string(sources_.size()) +
                                   ", counted from 0; use another version of its plugin");
    return sources_[entry];
  }
  const WeightsSource& mention(std::uint64_t entry) {
    const WeightsSource& found = source(entry);
    mentioned_[entry] = true;
    return found;
  }
  void keep(std::uint64_t entry, const std::string& place, const std::string& name,
            std::uint32_t change) {
    const WeightsSource& source = mention(entry);
    const bool is_reversed = (change & VISSL_WEIGHTS_REVERSE_CHANNELS) != 0;
    if (is_reversed && source.tensor->shape.size() < 2)
      throw Error(Exit::usage, quoted_name(source.name) + " has no input channels to reverse");
    put(place, name,
        is_reversed ? with_reversed_channels(*source.tensor) : compact(*source.tensor));
  }
  void put(const std::string& place, const std::string& name, TensorRef tensor) {
    if (!names_.insert(place + "\n" + name).second)
      throw Error(Exit::usage, "two tensors would be called " + quoted_name(name) +
                                   (place.empty() ? "" : " in " + quoted_name(place)) +
                                   "; choose one with --part");
    Node* at = &contents.tree;
    for (std::size_t begin = 0; begin < place.size();) {
      const std::size_t end = std::min(place.find('.', begin), place.size());
      at = &(*at)[place.substr(begin, end - begin)];
      begin = end + 1;
    }
    if (at->is_none()) *at = Node::ordered_dict();
    (*at)[name] = std::move(tensor);
  }

  const std::vector<WeightsSource>& sources_;
  std::vector<bool> mentioned_;
  vissl_weights_rename_sink sink_ = {};
  std::set<std::string> names_;
  std::vector<std::pair<std::string, Node>> extras_;
  std::string wrong_;
};

}  // namespace

TensorRef with_reversed_channels(const TensorRef& tensor) {
  const std::uint64_t bytes = static_cast<std::uint64_t>(tensor.numel()) * size_bytes(tensor.dtype);
  return TensorRef::contiguous(
      tensor.dtype, tensor.shape, Storage::lazy(bytes, [tensor, bytes] {
        const std::vector<std::byte> from = tensor.packed();
        const auto out = Storage::allocate(bytes);
        if (bytes == 0) return out;
        const auto rows = static_cast<std::size_t>(tensor.shape[0]);
        const auto planes = static_cast<std::size_t>(tensor.shape[1]);
        const std::size_t plane = from.size() / (rows * planes);
        for (std::size_t r = 0; r < rows; ++r)
          for (std::size_t p = 0; p < planes; ++p)
            std::memcpy(out->writable().data() + (r * planes + p) * plane,
                        from.data() + (r * planes + planes - 1 - p) * plane, plane);
        return out;
      }));
}

Renamed rename_weights(const WeightsFile& file, const RenameRequest& request, Container container,
                       const std::string& name, const vissl_weights_profile_class& profile,
                       void* instance) {
  if (profile.rename == nullptr)
    throw Error(Exit::usage,
                "the weights component knows no other system's names; --to can be "
                "torch, safetensors or sliced");
  const std::vector<WeightsSource> sources = tensors_of(file.tree);
  if (sources.empty()) throw_no_tensor(file.tree, name);
  std::vector<vissl_weights_entry> entries;
  for (const WeightsSource& source : sources)
    entries.push_back(entry_of(source.name, source.tensor->dtype, source.tensor->shape));
  const std::string place =
      request.part.empty() ? "" : place_of_part(file.tree, request.part, name);
  const std::string container_name = name_of(container);
  vissl_weights_rename_request raw = {};
  raw.size = sizeof raw;
  raw.source = entries.data();
  raw.source_count = entries.size();
  raw.to = str_of(request.to);
  raw.from = str_of(request.from);
  raw.part = str_of(place);
  raw.container = str_of(container_name);
  raw.depth = static_cast<std::uint32_t>(request.depth);
  raw.flags = (request.heads ? VISSL_WEIGHTS_WITH_HEADS : 0u) |
              (request.reverse ? VISSL_WEIGHTS_REVERSE_CHANNELS : 0u);
  Collector collector(sources);
  ErrorSink error;
  const vissl_status status = profile.rename(instance, &raw, collector.sink(), error.get());
  error.check(status, name);
  collector.finish(name, container);
  return {std::move(collector.contents), std::move(collector.messages)};
}

}  // namespace vissl::host
