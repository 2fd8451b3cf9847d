#pragma once
// Parameters and buffers of one model, loss or twin, in the order of their creation. Handles and
// Entry addresses stay the same for the store's life. [main]
#include <ATen/core/Tensor.h>
#include <vissl/store.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace vissl::host {

class Store;

struct Entry {
  std::string name;   // "trunk._feature_blocks.conv1.weight"
  at::Tensor tensor;  // the handle given to plugins is this member's address
  bool parameter = true;
  std::uint32_t role = 0, module = 0, tags = 0;
  std::int32_t depth = -1;
  std::uint32_t pos_prefix = 0, pos_grid_h = 0, pos_grid_w = 0;
  std::uint32_t buffer = 0;  // VISSL_BUFFER_… of a buffer

  vissl_tensor* handle() { return reinterpret_cast<vissl_tensor*>(&tensor); }
  bool saved() const { return parameter || (buffer & VISSL_BUFFER_NOT_SAVED) == 0; }
  // A buffer that is equal on all ranks.
  bool replicated() const {
    return !parameter && (buffer & ~VISSL_BUFFER_NOT_SAVED) == VISSL_BUFFER_REPLICATED;
  }
  bool trainable() const { return parameter && tensor.requires_grad(); }
};

using StateDict = std::vector<std::pair<std::string, at::Tensor>>;

}  // namespace vissl::host

// A scope of a store: names are joined with dots.
struct vissl_store {
  vissl::host::Store* store;
  std::string prefix;  // "" or "trunk."
};

namespace vissl::host {

class Store {
 public:
  // `init_seed` is the base of seed_push, VISSL's _MODEL_INIT_SEED.
  explicit Store(std::uint64_t init_seed);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  vissl_store* scope(std::string_view name = {});  // "" = the root; lives as long as the store

  // Create an entry with its initial value. Throw Error for a bad spec, a name that exists, or a
  // closed store.
  Entry& add_parameter(std::string name, const vissl_store_spec& spec);
  Entry& add_buffer(std::string name, const vissl_store_spec& spec);
  void discard(const vissl_store_spec& spec);  // draws and drops an initial value
  void scale(std::string_view name, double factor);
  void seed_push(std::uint64_t offset);
  void seed_pop();
  std::uint64_t init_seed() const { return init_seed_; }
  // Nothing is added afterwards. Throws Error when a seed_push was not popped.
  void close();

  Entry* find(std::string_view name);
  const std::vector<std::unique_ptr<Entry>>& entries() const { return entries_; }
  std::vector<Entry*> parameters() const;

  // Sets requires_grad of all parameters whose names begin with `prefix` (and are not tagged
  // NO_GRAD); returns how many matched.
  std::size_t set_trainable(std::string_view prefix, bool trainable);

  // All saved entries whose names begin with `prefix`, without that prefix. The tensors share
  // memory with the store.
  StateDict state_dict(std::string_view prefix = {}) const;
  // Copies values in place, converted to the entry's dtype. Throws Error(bad_data) naming `source`
  // and the first tensor that is missing, unknown or of another shape; nothing is written then.
  // `strict` = 0 allows missing and unknown names.
  void load_state_dict(const StateDict& values, std::string_view prefix, bool strict,
                       const std::string& source);

  // Throws Error(run_failed) that names the first saved entry with a NaN or an infinite value, and
  // `when`.
  void check_finite(const std::string& when) const;

  // Copies values (and flags) of all entries from a store with the same names and shapes.
  void copy_from(const Store& source);
  // Converts and moves floating-point entries (move only for others); handles stay valid.
  void to(at::ScalarType dtype, at::Device device);

 private:
  Entry& add(std::string name, const vissl_store_spec& spec, bool parameter);

  std::uint64_t init_seed_;
  bool closed_ = false;
  std::vector<at::Tensor> saved_generators_;  // states of torch's CPU generator, innermost last
  std::vector<std::unique_ptr<Entry>> entries_;
  std::unordered_map<std::string, Entry*> by_name_;
  std::map<std::string, std::unique_ptr<vissl_store>, std::less<>> scopes_;
};

// A new CPU tensor with the spec's initial value, bit-equal to torch's initialisers on torch's CPU
// generator. Throws Error for a spec that makes no sense; `name` is for its text.
at::Tensor initial_value(const vissl_store_spec& spec, std::string_view name);

}  // namespace vissl::host
