// The table of vissl.store/1.
#include "host/runtime/model/store.hpp"

#include "host/files/error.hpp"
#include "host/runtime/abi/guard.hpp"
#include "host/runtime/abi/handle.hpp"
#include "host/runtime/abi/tables.hpp"

namespace vissl::host {

namespace {

// The spec as this host knows it: fields beyond the caller's size are zero.
vissl_store_spec read(const vissl_store_spec* given) {
  vissl_store_spec spec{};
  spec.depth = -1;
  std::memcpy(&spec, given,
              std::min<std::size_t>(static_cast<std::size_t>(given->size), sizeof(spec)));
  return spec;
}

std::string full_name(const vissl_store* scope, vissl_str name) {
  if (name.size == 0) throw Error(Exit::run_failed, "a parameter or buffer needs a name");
  return scope->prefix + text(name);
}

vissl_store* child(vissl_store* store, vissl_str name) {
  return store->store->scope(store->prefix + text(name));
}

vissl_status param(vissl_store* store, const vissl_store_spec* spec, vissl_tensor** out,
                   vissl_err* err) {
  return guarded(err, [&] {
    const vissl_store_spec known = read(spec);
    *out = store->store->add_parameter(full_name(store, known.name), known).handle();
  });
}

vissl_status buffer(vissl_store* store, const vissl_store_spec* spec, vissl_tensor** out,
                    vissl_err* err) {
  return guarded(err, [&] {
    const vissl_store_spec known = read(spec);
    *out = store->store->add_buffer(full_name(store, known.name), known).handle();
  });
}

vissl_tensor* find(vissl_store* store, vissl_str name) {
  Entry* entry = store->store->find(store->prefix + text(name));
  return entry == nullptr ? nullptr : entry->handle();
}

vissl_status scale(vissl_store* store, vissl_str name, double factor, vissl_err* err) {
  return guarded(err, [&] { store->store->scale(full_name(store, name), factor); });
}

vissl_status seed_push(vissl_store* store, uint64_t offset, vissl_err* err) {
  return guarded(err, [&] { store->store->seed_push(offset); });
}

vissl_status seed_pop(vissl_store* store, vissl_err* err) {
  return guarded(err, [&] { store->store->seed_pop(); });
}

vissl_status discard(vissl_store* store, const vissl_store_spec* spec, vissl_err* err) {
  return guarded(err, [&] { store->store->discard(read(spec)); });
}

// Entries of a scope are few against what is done with them: no index is kept.
std::vector<Entry*> entries_of(vissl_store* store) {
  std::vector<Entry*> list;
  for (const auto& entry : store->store->entries())
    if (entry->name.starts_with(store->prefix)) list.push_back(entry.get());
  return list;
}

uint64_t entry_count(vissl_store* store) {
  return entries_of(store).size();
}

vissl_status entry(vissl_store* store, uint64_t i, vissl_store_entry* out, vissl_err* err) {
  return guarded(err, [&] {
    Entry& e = *entries_of(store).at(static_cast<std::size_t>(i));
    const std::string_view name = std::string_view(e.name).substr(store->prefix.size());
    vissl_store_entry known{out->size,
                            str(name),
                            e.handle(),
                            e.parameter ? 1u : 0u,
                            e.trainable() ? 1u : 0u,
                            e.role,
                            e.module,
                            e.tags,
                            e.depth,
                            e.buffer};
    std::memcpy(out, &known,
                std::min<std::size_t>(static_cast<std::size_t>(out->size), sizeof(known)));
  });
}

constexpr vissl_store_api kTable = {
    sizeof(vissl_store_api),
    child,
    param,
    buffer,
    find,
    scale,
    seed_push,
    seed_pop,
    discard,
    entry_count,
    entry,
};

}  // namespace

const vissl_store_api& store_api() {
  return kTable;
}

}  // namespace vissl::host
