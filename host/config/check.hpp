#pragma once
// Walks a config along its schema: fills in defaults and, when it is strict, refuses what does not
// fit.
#include <string>
#include <vector>

#include "host/config/schema.hpp"

namespace vissl::host {

// A component that the walk met.
struct Placed {
  Value* table;
  const Declaration* declaration;
  std::string path;
};

class Checker {
 public:
  explicit Checker(Schemas& schemas) : schemas_(schemas) {}

  // Fills in defaults. With `strict` throws Error(Exit::usage) for the first unknown key, wrong
  // type, bound, choice, missing value or component that nobody offers; without it all of them
  // pass, because inference may still mend them. Relative paths of parameters that are paths become
  // absolute.
  void walk(Value& root, bool strict);

  // Of the last walk, in the order of the tree.
  const std::vector<Placed>& components() const noexcept { return components_; }
  const std::vector<std::string>& warnings() const noexcept {
    return warnings_;
  }  // deprecated keys

 private:
  void value(Value& node, const SchemaKey& place, const std::string& path,
             const std::string& owner);
  void table(Value& node, const SchemaKey& place, const std::vector<SchemaKey>& keys,
             const std::string& path, const std::string& owner);
  void component(Value& node, const SchemaKey& place, const std::string& path);
  void list(Value& node, const SchemaKey& place, const std::string& path, const std::string& owner);
  void any_shape(Value& node, const SchemaKey& place, const std::string& path,
                 const std::string& owner);
  void unknown_component(const Value& node, const SchemaKey& place, const std::string& name,
                         const std::string& path);
  void unknown_key(const TableEntry& entry, const std::vector<SchemaKey>& keys,
                   const std::string& path, const std::string& owner);

  Schemas& schemas_;
  bool strict_ = false;
  std::vector<Placed> components_;
  std::vector<std::string> warnings_;
  std::vector<std::string> locator_prefixes_;
};

// A table in messages: "in [loss] (simclr_info_nce_loss)", "in data.train.transforms[1] (Resize)",
// "at the top level".
std::string table_text(const std::string& path, const std::string& component);

}  // namespace vissl::host
