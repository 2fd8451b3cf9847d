#include "host/data/sample.hpp"

#include <algorithm>
#include <utility>

#include "host/data/guard.hpp"

namespace vissl::host {
namespace {

[[noreturn]] void no_entry(std::string_view key, std::size_t i, std::size_t count) {
  throw Error(Exit::run_failed, "the sample has no entry " + std::to_string(i) + " under '" +
                                    std::string(key) + "'; it has " + std::to_string(count));
}

}  // namespace

void Sample::reset(const StreamKey& stream) {
  stream_ = stream;
  lists_.clear();
}

vissl_rng Sample::rng(std::uint64_t view) const {
  vissl_rng rng;
  vissl_rng_init_sample(&rng, stream_.seed, stream_.train_phase,
                        static_cast<std::uint64_t>(stream_.index), stream_.occurrence,
                        static_cast<std::uint32_t>(view), stream_.position);
  return rng;
}

const Sample::List* Sample::find(std::string_view key) const {
  const auto at =
      std::find_if(lists_.begin(), lists_.end(), [&](const List& list) { return list.key == key; });
  return at == lists_.end() ? nullptr : &*at;
}

Sample::List& Sample::list(std::string_view key) {
  if (const List* found = find(key)) return const_cast<List&>(*found);
  return lists_.emplace_back(List{std::string(key), {}});
}

std::size_t Sample::entry_count(std::string_view key) const {
  const List* list = find(key);
  return list == nullptr ? 0 : list->entries.size();
}

Image* Sample::image(std::string_view key, std::size_t i) {
  const List* list = find(key);
  return list == nullptr || i >= list->entries.size() ? nullptr : list->entries[i].image.get();
}

const Array& Sample::array(std::string_view key, std::size_t i) const {
  const List* list = find(key);
  if (list == nullptr || i >= list->entries.size()) no_entry(key, i, entry_count(key));
  if (list->entries[i].image) {
    throw Error(Exit::run_failed, "entry " + std::to_string(i) + " under '" + std::string(key) +
                                      "' is an image, not an array");
  }
  return list->entries[i].array;
}

void Sample::set_array(std::string_view key, std::size_t i, Array array) {
  std::vector<Entry>& entries = list(key).entries;
  if (i > entries.size()) no_entry(key, i, entries.size());
  if (i == entries.size()) entries.emplace_back();
  entries[i].image.reset();
  entries[i].array = std::move(array);
}

Image& Sample::add_image(std::string_view key) {
  Entry& entry = list(key).entries.emplace_back();
  entry.image = std::make_unique<Image>();
  return *entry.image;
}

void Sample::repeat(const std::uint64_t* times, std::size_t count) {
  for (const List& list : lists_) {
    if (!list.entries.empty() && list.entries.size() != count) {
      throw Error(Exit::run_failed, "cannot repeat the entries of a sample: '" + list.key +
                                        "' has " + std::to_string(list.entries.size()) +
                                        " entries and " + std::to_string(count) +
                                        " repetitions were given");
    }
  }
  for (List& list : lists_) {
    std::vector<Entry> repeated;
    for (std::size_t i = 0; i < list.entries.size(); ++i) {
      for (std::uint64_t copy = 1; copy < times[i]; ++copy) {
        Entry& entry = repeated.emplace_back();
        if (list.entries[i].image) {
          entry.image = std::make_unique<Image>(*list.entries[i].image);
        } else {
          entry.array = list.entries[i].array;
        }
      }
      // The original goes first and keeps its address: a plugin may hold it.
      if (times[i] > 0) {
        repeated.insert(repeated.end() - static_cast<std::ptrdiff_t>(times[i] - 1),
                        std::move(list.entries[i]));
      }
    }
    list.entries = std::move(repeated);
  }
}

void Sample::remove(std::string_view key) {
  std::erase_if(lists_, [&](const List& list) { return list.key == key; });
}

void Sample::settle() {
  for (List& list : lists_) {
    for (Entry& entry : list.entries) {
      if (entry.image) entry.image->settle();
    }
  }
}

bool Sample::unreadable() const {
  for (const List& list : lists_) {
    for (const Entry& entry : list.entries) {
      if (entry.image && !entry.image->failure().empty()) return true;
    }
  }
  return false;
}

namespace {

std::uint64_t key_count(const vissl_sample* s) {
  return unwrap(s).lists().size();
}

vissl_str key_at(const vissl_sample* s, std::uint64_t i) {
  const auto& lists = unwrap(s).lists();
  return i < lists.size() ? str_of(lists[i].key) : vissl_str{nullptr, 0};
}

std::uint64_t entry_count(const vissl_sample* s, vissl_str key) {
  return unwrap(s).entry_count(view_of(key));
}

vissl_image* image(vissl_sample* s, vissl_str key, std::uint64_t i) {
  return handle(unwrap(s).image(view_of(key), i));
}

vissl_status array(const vissl_sample* s, vissl_str key, std::uint64_t i, vissl_array* out,
                   vissl_err* err) {
  return guarded(err, [&] { *out = unwrap(s).array(view_of(key), i).view(); });
}

vissl_status set_array(vissl_sample* s, vissl_str key, std::uint64_t i, const vissl_array* array,
                       vissl_err* err) {
  return guarded(err, [&] { unwrap(s).set_array(view_of(key), i, Array(*array)); });
}

vissl_status add_image(vissl_sample* s, vissl_str key, vissl_image** out, vissl_err* err) {
  return guarded(err, [&] { *out = handle(&unwrap(s).add_image(view_of(key))); });
}

vissl_status repeat(vissl_sample* s, const std::uint64_t* times, std::uint64_t count,
                    vissl_err* err) {
  return guarded(err, [&] { unwrap(s).repeat(times, count); });
}

vissl_status remove_key(vissl_sample* s, vissl_str key, vissl_err* err) {
  return guarded(err, [&] { unwrap(s).remove(view_of(key)); });
}

void rng(const vissl_sample* s, std::uint64_t view, vissl_rng* out) {
  *out = unwrap(s).rng(view);
}

std::int64_t index(const vissl_sample* s) {
  return unwrap(s).stream().index;
}

constexpr vissl_sample_api kApi = {
    sizeof(vissl_sample_api),
    key_count,
    key_at,
    entry_count,
    image,
    array,
    set_array,
    add_image,
    repeat,
    remove_key,
    rng,
    index,
};

}  // namespace

const vissl_sample_api& sample_api() {
  return kApi;
}

}  // namespace vissl::host
