// Index vectors of distributed.so and stateful.so, called through their class tables as the host
// does.
#include <vissl/sampler.h>

#include <dlfcn.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

namespace {

#include "../../tests/golden/samplers.inc"

using Indices = std::vector<std::int64_t>;

template <std::size_t N>
Indices golden(const std::int64_t (&values)[N]) {
  return {std::begin(values), std::end(values)};
}

// A config table with the parameters of both samplers; what a test does not set has its default.
struct Node {
  std::uint32_t type = VISSL_VALUE_TABLE;
  std::int64_t number = 0;
  std::string text;
  std::map<std::string, Node, std::less<>> entries;
};

Node config(bool shuffle = true, std::int64_t seed = 0, const std::string& sampling = "each_once") {
  Node table;
  table.entries["shuffle"] = Node{VISSL_VALUE_BOOL, shuffle ? 1 : 0, "", {}};
  table.entries["seed"] = Node{VISSL_VALUE_INT, seed, "", {}};
  table.entries["sampling"] = Node{VISSL_VALUE_STRING, 0, sampling, {}};
  return table;
}

const Node* node(const vissl_value* value) {
  return reinterpret_cast<const Node*>(value);
}

const vissl_value_api& value_service() {
  static const vissl_value_api api = {
      sizeof(vissl_value_api),
      [](const vissl_value* v) { return node(v)->type; },
      [](const vissl_value* v) { return static_cast<std::int32_t>(node(v)->number); },
      [](const vissl_value* v) { return node(v)->number; },
      [](const vissl_value* v) { return static_cast<double>(node(v)->number); },
      [](const vissl_value* v) {
        return vissl_str{node(v)->text.data(), node(v)->text.size()};
      },
      [](const vissl_value* v) { return std::uint64_t{node(v)->entries.size()}; },
      [](const vissl_value*, std::uint64_t) -> const vissl_value* { return nullptr; },
      [](const vissl_value*, std::uint64_t) {
        return vissl_str{nullptr, 0};
      },
      [](const vissl_value* v, vissl_str key) -> const vissl_value* {
        const auto found =
            node(v)->entries.find(std::string_view(key.data, static_cast<std::size_t>(key.size)));
        return found == node(v)->entries.end()
                   ? nullptr
                   : reinterpret_cast<const vissl_value*>(&found->second);
      },
      [](const vissl_value*) {
        return vissl_str{"test", 4};
      },
      nullptr};
  return api;
}

const vissl_host& test_host() {
  static const vissl_host host = {sizeof(vissl_host), VISSL_ABI_MAJOR, VISSL_ABI_MINOR,
                                  [](const vissl_host*, vissl_str id) -> const void* {
                                    const std::string_view wanted(
                                        id.data, static_cast<std::size_t>(id.size));
                                    return wanted == VISSL_VALUE_ID ? &value_service() : nullptr;
                                  }};
  return host;
}

// The class table of the one component of build/plugins/NAME.so, which stays loaded.
const vissl_sampler_class& sampler_class(const std::string& name) {
  void* library = dlopen((VISSL_PLUGIN_DIR "/" + name + ".so").c_str(), RTLD_NOW | RTLD_LOCAL);
  REQUIRE_MESSAGE(library != nullptr, dlerror());
  void* entry = dlsym(library, VISSL_ENTRY_SYMBOL);
  REQUIRE_MESSAGE(entry != nullptr, dlerror());
  const vissl_plugin* plugin = reinterpret_cast<vissl_plugin_entry_fn>(entry)();
  REQUIRE(plugin->init(&test_host(), nullptr) == VISSL_OK);
  REQUIRE(plugin->components_end - plugin->components == 1);
  REQUIRE(std::string(plugin->components[0]->interface_id) == VISSL_SAMPLER_ID);
  CHECK(std::string(plugin->components[0]->meta).rfind("sampler/" + name + "/", 0) == 0);
  return *static_cast<const vissl_sampler_class*>(plugin->components[0]->table);
}

class Sampler {
 public:
  Sampler(const std::string& name, const Node& settings) : table_(sampler_class(name)) {
    REQUIRE(table_.create(reinterpret_cast<const vissl_value*>(&settings), &instance_, nullptr) ==
            VISSL_OK);
  }
  ~Sampler() { table_.destroy(instance_); }
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  void open(const vissl_sampler_open& phase) {
    REQUIRE(table_.open(instance_, &phase, nullptr) == VISSL_OK);
  }
  std::int64_t batch_count() { return table_.batch_count(instance_); }
  vissl_status try_batch(std::int64_t k, Indices& out) {
    const std::int64_t* indices = nullptr;
    std::uint64_t count = 0;
    const vissl_status status = table_.batch(instance_, k, &indices, &count, nullptr);
    if (status == VISSL_OK) out.assign(indices, indices + count);
    return status;
  }
  Indices batch(std::int64_t k) {
    Indices out;
    REQUIRE(try_batch(k, out) == VISSL_OK);
    return out;
  }
  // All batches from `first` on, joined.
  Indices all(std::int64_t first = 0) {
    Indices joined;
    for (std::int64_t k = first; k < batch_count(); ++k) {
      const Indices part = batch(k);
      joined.insert(joined.end(), part.begin(), part.end());
    }
    return joined;
  }

 private:
  const vissl_sampler_class& table_;
  void* instance_ = nullptr;
};

struct Phase {
  std::int64_t length, world, rank, epoch;
  std::uint64_t seed = 0;
  bool training = true;
  std::int64_t batch_size = 8;
  bool drop_last = false;
};

vissl_sampler_open arguments(const Phase& p) {
  return {sizeof(vissl_sampler_open),
          p.length,
          nullptr,
          p.batch_size,
          p.epoch,
          p.rank,
          p.world,
          p.seed,
          p.training ? 1u : 0u,
          p.drop_last ? 1u : 0u};
}

Indices rank_order(const std::string& name, const Phase& phase, const Node& settings = config()) {
  Sampler sampler(name, settings);
  sampler.open(arguments(phase));
  return sampler.all();
}

// The joined positions of all ranks, sorted.
Indices all_ranks(const std::string& name, Phase phase, const Node& settings = config()) {
  Indices joined;
  for (phase.rank = 0; phase.rank < phase.world; ++phase.rank) {
    const Indices part = rank_order(name, phase, settings);
    joined.insert(joined.end(), part.begin(), part.end());
  }
  std::sort(joined.begin(), joined.end());
  return joined;
}

Indices counting(std::int64_t n) {
  Indices values(static_cast<std::size_t>(n));
  std::iota(values.begin(), values.end(), std::int64_t{0});
  return values;
}

}  // namespace

TEST_CASE("distributed sampler: orders equal torch's DistributedSampler") {
  CHECK(rank_order("distributed", {10, 4, 0, 0}) == golden(kDistributed10Of4Epoch0Rank0));
  CHECK(rank_order("distributed", {10, 4, 1, 0}) == golden(kDistributed10Of4Epoch0Rank1));
  CHECK(rank_order("distributed", {10, 4, 2, 0}) == golden(kDistributed10Of4Epoch0Rank2));
  CHECK(rank_order("distributed", {10, 4, 3, 0}) == golden(kDistributed10Of4Epoch0Rank3));
  CHECK(rank_order("distributed", {101, 3, 1, 7}) == golden(kDistributed101Of3Epoch7Rank1));
}

TEST_CASE("distributed sampler: a split smaller than the world is repeated as torch does") {
  CHECK(rank_order("distributed", {3, 8, 5, 2}) == golden(kDistributed3Of8Epoch2Rank5));
  CHECK(rank_order("distributed", {3, 8, 7, 2}) == golden(kDistributed3Of8Epoch2Rank7));
}

TEST_CASE("distributed sampler: without shuffle the order of the split is dealt out") {
  CHECK(rank_order("distributed", {10, 4, 3, 0}, config(false)) ==
        golden(kDistributed10Of4InOrderRank3));
}

TEST_CASE("distributed sampler: its seed is its own and adds to the phase number") {
  CHECK(rank_order("distributed", {101, 3, 1, 2}, config(true, 5)) ==
        golden(kDistributed101Of3Epoch7Rank1));
  CHECK(rank_order("distributed", {101, 3, 1, 7, 99}) == golden(kDistributed101Of3Epoch7Rank1));
}

TEST_CASE("distributed sampler: evaluation counts each image once unless VISSL's way is asked") {
  CHECK(all_ranks("distributed", {10, 4, 0, 1, 0, false}) == counting(10));
  CHECK(all_ranks("distributed", {3, 8, 0, 1, 0, false}) == counting(3));
  CHECK(all_ranks("distributed", {10, 4, 0, 1, 0, false}, config(true, 0, "vissl")).size() == 12);
  CHECK(rank_order("distributed", {10, 4, 3, 0, 0, false}, config(true, 0, "vissl")) ==
        golden(kDistributed10Of4Epoch0Rank3));
}

TEST_CASE("stateful sampler: orders equal VISSL's") {
  CHECK(rank_order("stateful", {10, 2, 0, 1}) == golden(kStateful10Of2Epoch1Rank0));
  CHECK(rank_order("stateful", {10, 2, 1, 1}) == golden(kStateful10Of2Epoch1Rank1));
  CHECK(rank_order("stateful", {103, 4, 2, 3, 5}) == golden(kStateful103Of4Epoch3Seed5Rank2));
}

TEST_CASE("stateful sampler: going on at a batch equals VISSL's start iteration") {
  Sampler sampler("stateful", config());
  sampler.open(arguments({103, 4, 2, 3, 5}));
  CHECK(sampler.all(2) == golden(kStateful103Of4Epoch3Seed5Rank2From2));
}

TEST_CASE("stateful sampler: training leaves the last positions out, evaluation does not") {
  CHECK(all_ranks("stateful", {103, 4, 0, 2}) == counting(100));
  CHECK(all_ranks("stateful", {103, 4, 0, 2, 0, false}) == counting(103));
  CHECK(all_ranks("stateful", {103, 4, 0, 2, 0, false}, config(true, 0, "vissl")) == counting(100));
}

TEST_CASE("samplers: batches cut the order, and drop_last leaves the short one out") {
  for (const char* name : {"distributed", "stateful"}) {
    CAPTURE(name);
    Sampler sampler(name, config());
    sampler.open(arguments({20, 1, 0, 3}));
    const Indices order = sampler.all();
    REQUIRE(order.size() == 20);
    CHECK(sampler.batch_count() == 3);
    CHECK(sampler.batch(1) == Indices(order.begin() + 8, order.begin() + 16));
    CHECK(sampler.batch(2) == Indices(order.begin() + 16, order.end()));
    sampler.open(arguments({20, 1, 0, 3, 0, true, 8, true}));
    CHECK(sampler.batch_count() == 2);
    CHECK(sampler.all() == Indices(order.begin(), order.begin() + 16));
  }
}

TEST_CASE("samplers: phases differ, and a reopened phase replays the same batches") {
  for (const char* name : {"distributed", "stateful"}) {
    CAPTURE(name);
    Sampler sampler(name, config());
    sampler.open(arguments({50, 2, 1, 4}));
    const Indices first = sampler.all();
    sampler.open(arguments({50, 2, 1, 6}));
    CHECK(sampler.all() != first);
    sampler.open(arguments({50, 2, 1, 4}));
    CHECK(sampler.all() == first);
  }
}

TEST_CASE("samplers: an empty split has no batches, and a batch past the end is an error") {
  for (const char* name : {"distributed", "stateful"}) {
    CAPTURE(name);
    Sampler sampler(name, config());
    Indices out;
    sampler.open(arguments({0, 2, 1, 0}));
    CHECK(sampler.batch_count() == 0);
    CHECK(sampler.try_batch(0, out) == VISSL_E_FAILED);
    sampler.open(arguments({9, 1, 0, 0}));
    CHECK(sampler.try_batch(2, out) == VISSL_E_FAILED);
    CHECK(sampler.try_batch(-1, out) == VISSL_E_FAILED);
    CHECK(sampler.try_batch(1, out) == VISSL_OK);
  }
}
