#pragma once
// The fake host's parameters and buffers ("vissl.store/1"). Initial values are drawn from the
// generator of tensors.hpp.
#include <vissl/nn.hpp>
#include <vissl/test/tensors.hpp>

namespace vissl {
namespace test VISSL_HIDDEN {

// A scope; the root owns the tensors.
class Store {
 public:
  struct Entry {
    std::string name;
    Tensor tensor;
    bool is_buffer;
    vissl_store_spec spec;  // without its pointers
  };

  Store() : root_(this) {}
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  static Store& of(vissl_store* store) { return *reinterpret_cast<Store*>(store); }
  vissl_store* handle() { return reinterpret_cast<vissl_store*>(this); }

  Store& child(std::string_view name) {
    std::unique_ptr<Store>& found = children_[std::string(name)];
    if (found == nullptr) found.reset(new Store(root_, full(name)));
    return *found;
  }
  // All tensors below the root, in the order of creation, by their full names.
  const std::vector<Entry>& entries() const { return root_->entries_; }
  // A tensor by its name within this scope; fails the test when there is none.
  Tensor at(std::string_view name) const {
    const Entry* entry = find(name);
    if (entry == nullptr) fail("the store has no '" + full(name) + "'");
    return entry->tensor;
  }
  void set(std::string_view name, const Values& values) const {
    const Tensor tensor = at(name);
    const Array& array = Engine::current().array(tensor.handle());
    if (array.numel() != static_cast<std::int64_t>(values.size())) {
      fail("'" + full(name) + "' has " + std::to_string(array.numel()) + " elements");
    }
    array.assign(values);
  }
  const Entry* find(std::string_view name) const {
    for (const Entry& entry : root_->entries_) {
      if (entry.name == full(name)) return &entry;
    }
    return nullptr;
  }
  // The entries of this scope with their names in it.
  std::vector<std::pair<std::string_view, const Entry*>> inside() const {
    std::vector<std::pair<std::string_view, const Entry*>> list;
    const std::string start = prefix_.empty() ? "" : prefix_ + ".";
    for (const Entry& entry : root_->entries_) {
      if (entry.name.compare(0, start.size(), start) != 0) continue;
      list.emplace_back(std::string_view(entry.name).substr(start.size()), &entry);
    }
    return list;
  }
  vissl_tensor* add(const vissl_store_spec& spec, bool is_buffer) {
    const std::string name = full(view(spec.name));
    if (name.empty() || find(view(spec.name)) != nullptr)
      fail("the store has '" + name + "' already");
    vissl_store_spec kept = spec;
    kept.name = {nullptr, 0};
    kept.data = nullptr;
    Tensor tensor = Tensor::own(Engine::current().give(draw(spec)));
    if (!is_buffer)
      Engine::current().array(tensor.handle()).requires_grad = (spec.tags & VISSL_TAG_NO_GRAD) == 0;
    root_->entries_.push_back({name, tensor, is_buffer, kept});
    return root_->entries_.back().tensor.handle();
  }
  static Array draw(const vissl_store_spec& spec);
  std::vector<TorchGenerator>& saved_generators() { return root_->generators_; }

 private:
  Store(Store* root, std::string prefix) : root_(root), prefix_(std::move(prefix)) {}
  std::string full(std::string_view name) const {
    return prefix_.empty() ? std::string(name) : prefix_ + "." + std::string(name);
  }
  Store* root_;
  std::string prefix_;
  std::map<std::string, std::unique_ptr<Store>> children_;
  std::vector<Entry> entries_;
  std::vector<TorchGenerator> generators_;
};

namespace detail {

// The inverse of erf, by bisection.
inline double erf_inverse(double y) {
  double low = -6, high = 6;
  for (int i = 0; i < 80; ++i) {
    const double middle = (low + high) / 2;
    (std::erf(middle) < y ? low : high) = middle;
  }
  return (low + high) / 2;
}
inline Values trunc_normal(std::size_t count, double std, double cut) {
  const double bound = std::erf(cut / std / std::sqrt(2.0));
  Values values(count);
  for (double& x : values) {
    x = std * std::sqrt(2.0) * erf_inverse(Engine::current().generator.uniform64(-bound, bound));
  }
  return values;
}
// Rows (or columns, when there are more rows) of length 1 at right angles.
inline Values orthogonal(const Shape& shape, double gain) {
  const std::int64_t rows = shape.at(0), columns = count_of(shape) / rows;
  const bool tall = rows > columns;
  const std::int64_t n = std::min(rows, columns), length = std::max(rows, columns);
  const Values drawn = normal({n, length}, 0, 1, VISSL_F64).values();
  std::vector<Values> basis;
  for (std::int64_t i = 0; i < n; ++i) {
    Values v(drawn.begin() + i * length, drawn.begin() + (i + 1) * length);
    for (const Values& b : basis) {
      double dot = 0;
      for (std::size_t k = 0; k < v.size(); ++k) dot += v[k] * b[k];
      for (std::size_t k = 0; k < v.size(); ++k) v[k] -= dot * b[k];
    }
    const double size = norm(v, 2);
    for (double& x : v) x /= size;
    basis.push_back(std::move(v));
  }
  Values out;
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; ++c) {
      out.push_back(
          gain *
          basis[static_cast<std::size_t>(tall ? c : r)][static_cast<std::size_t>(tall ? r : c)]);
    }
  }
  return out;
}

}  // namespace detail

inline Array Store::draw(const vissl_store_spec& spec) {
  const Shape shape(spec.shape, spec.shape + spec.ndim);
  const auto count = static_cast<std::size_t>(count_of(shape));
  switch (spec.init) {
    case VISSL_INIT_ZEROS:
      return Array::filled(shape, 0, spec.dtype);
    case VISSL_INIT_ONES:
      return Array::filled(shape, 1, spec.dtype);
    case VISSL_INIT_CONSTANT:
      return Array::filled(shape, spec.a, spec.dtype);
    case VISSL_INIT_UNIFORM:
      return detail::uniform(shape, spec.a, spec.b, spec.dtype);
    case VISSL_INIT_NORMAL:
      return detail::normal(shape, spec.a, spec.b, spec.dtype);
    case VISSL_INIT_TRUNC_NORMAL:
      return Array::make(detail::trunc_normal(count, spec.a, spec.b), shape, spec.dtype);
    case VISSL_INIT_ORTHOGONAL:
      return Array::make(detail::orthogonal(shape, spec.a), shape, spec.dtype);
    case VISSL_INIT_DATA: {
      vissl_array array = {};
      array.size = sizeof array;
      array.dtype = spec.dtype;
      array.ndim = spec.ndim;
      std::copy(shape.begin(), shape.end(), array.shape);
      array.data = spec.data;
      return detail::read_array(array);
    }
    default:
      fail("unknown initial value " + std::to_string(spec.init));
  }
}

inline const vissl_store_api& store_service() {
  static const vissl_store_api api = {
      sizeof(vissl_store_api),
      [](vissl_store* store, vissl_str name) {
        return Store::of(store).child(view(name)).handle();
      },
      [](vissl_store* store, const vissl_store_spec* spec, vissl_tensor** out, vissl_err* err) {
        return guarded(err, [&] { *out = Store::of(store).add(*spec, false); });
      },
      [](vissl_store* store, const vissl_store_spec* spec, vissl_tensor** out, vissl_err* err) {
        return guarded(err, [&] { *out = Store::of(store).add(*spec, true); });
      },
      [](vissl_store* store, vissl_str name) -> vissl_tensor* {
        const Store::Entry* entry = Store::of(store).find(view(name));
        return entry != nullptr ? entry->tensor.handle() : nullptr;
      },
      [](vissl_store* store, vissl_str name, double factor, vissl_err* err) {
        return guarded(err, [&] {
          Values scaled = values(Store::of(store).at(view(name)));
          for (double& x : scaled) x *= factor;
          Store::of(store).set(view(name), scaled);
        });
      },
      [](vissl_store* store, std::uint64_t offset, vissl_err* err) {
        return guarded(err, [&] {
          Store::of(store).saved_generators().push_back(Engine::current().generator);
          Engine::current().generator = TorchGenerator(offset);
        });
      },
      [](vissl_store* store, vissl_err* err) {
        return guarded(err, [&] {
          std::vector<TorchGenerator>& saved = Store::of(store).saved_generators();
          if (saved.empty()) fail("seed_pop without seed_push");
          Engine::current().generator = saved.back();
          saved.pop_back();
        });
      },
      [](vissl_store*, const vissl_store_spec* spec, vissl_err* err) {
        return guarded(err, [&] { Store::draw(*spec); });
      },
      [](vissl_store* store) { return std::uint64_t{Store::of(store).inside().size()}; },
      [](vissl_store* store, std::uint64_t i, vissl_store_entry* out, vissl_err* err) {
        return guarded(err, [&] {
          const auto [name, entry] = Store::of(store).inside().at(static_cast<std::size_t>(i));
          const bool trainable =
              !entry->is_buffer && Engine::current().array(entry->tensor.handle()).requires_grad;
          *out = {sizeof(vissl_store_entry),  str(name),           entry->tensor.handle(),
                  entry->is_buffer ? 0u : 1u, trainable ? 1u : 0u, entry->spec.role,
                  entry->spec.module,         entry->spec.tags,    entry->spec.depth,
                  entry->spec.buffer};
        });
      }};
  return api;
}

}  // namespace test
}  // namespace vissl
