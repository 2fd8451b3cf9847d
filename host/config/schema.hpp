#pragma once
// What may stand where in a config: the host's own keys as a table (schema_*.cpp), and below them
// the parameters that components declare.
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "host/config/declaration.hpp"

namespace vissl::host {

enum class Shape {
  value,         // checked by `param`
  section,       // a table with the keys `inner`, and `others` under any further name
  section_list,  // a list of such tables
  component,  // a table { name, … } of kind param.component_kind; `inner`: keys that the host adds
              // to the component's own
  component_list,     // a list of such tables
  component_or_list,  // one such table, or a list of them
  head_list,          // elements are components, or lists of components: chained
};

struct SchemaKey {
  Shape shape = Shape::value;
  Param param;  // name, doc, vissl_key; for values all of it; for components the kind
  bool present =
      false;  // a section or component that exists even when the config does not mention it
  std::string default_name;  // of a component whose table has no `name`
  std::vector<SchemaKey> inner;
  std::vector<SchemaKey> others;  // at most one: the schema of a section's further entries
};

// Short forms for the tables of schema_*.cpp.
namespace schema {

SchemaKey boolean(const char* name, bool fallback, const char* vissl_key, const char* doc);
SchemaKey integer(const char* name, std::int64_t fallback, double min, const char* vissl_key,
                  const char* doc);
SchemaKey number(const char* name, double fallback, double min, double max, const char* vissl_key,
                 const char* doc);
SchemaKey text(const char* name, const char* fallback, const char* vissl_key, const char* doc);
SchemaKey choice(const char* name, std::vector<std::string> choices, const char* vissl_key,
                 const char* doc);  // the first is the default
SchemaKey texts(const char* name, std::vector<std::string> fallback, const char* vissl_key,
                const char* doc);
SchemaKey any(const char* name, const char* fallback_toml, const char* vissl_key, const char* doc);
SchemaKey required(SchemaKey key);
SchemaKey optional(SchemaKey key);
SchemaKey section(const char* name, std::vector<SchemaKey> inner,
                  const char* doc);  // always present
SchemaKey optional_section(const char* name, std::vector<SchemaKey> inner,
                           const char* doc);  // only when the config has it
SchemaKey section_list(const char* name, std::vector<SchemaKey> inner, const char* vissl_key,
                       const char* doc);
// `default_name` empty: the table must name its component.
SchemaKey component(const char* name, const char* kind, const char* default_name, bool present,
                    std::vector<SchemaKey> inner, const char* vissl_key, const char* doc);
SchemaKey component_list(const char* name, const char* kind, std::vector<SchemaKey> inner,
                         const char* vissl_key, const char* doc);

}  // namespace schema

// The whole config file.
const SchemaKey& root_schema();
SchemaKey data_schema();       // [data]
SchemaKey model_schema();      // [model]
SchemaKey optimizer_schema();  // [optimizer]
// What the host adds to every lr_schedule, also to those inside another component.
std::vector<SchemaKey> schedule_keys();

// Components that the host itself offers: its engines.
std::vector<Declaration> own_declarations();

// Schemas of components, made from their declarations when first asked for.
class Schemas {
 public:
  explicit Schemas(DeclarationIndex& index) : index_(index) {}

  DeclarationIndex& index() { return index_; }
  // The keys of the component `name` at a place that `place` describes: `name` itself, the host's
  // additions, the declared ones. NULL when nobody offers the component. The pointer stays valid.
  const std::vector<SchemaKey>* component_keys(const SchemaKey& place, const std::string& name,
                                               const std::string& where);
  // The schema of entry `key` of `table`, which stands at `place`; NULL when there is no such key.
  const SchemaKey* child(const SchemaKey& place, const Value* table, std::string_view key);

 private:
  DeclarationIndex& index_;
  std::map<std::pair<const SchemaKey*, std::string>, std::vector<SchemaKey>> components_;
};

// Whether tables of components stand there, alone or in a list.
bool holds_components(const SchemaKey& place);

// The name of the component in `table`, or the place's default, or "".
std::string component_name(const SchemaKey& place, const Value* table);

}  // namespace vissl::host
