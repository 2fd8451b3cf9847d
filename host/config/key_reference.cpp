#include "host/config/key_reference.hpp"

#include "host/config/schema.hpp"
#include "host/config/toml_text.hpp"

namespace vissl::host {
namespace {

constexpr const char* kHead =
    "| key | accepts | default | VISSL | meaning |\n|---|---|---|---|---|\n";

// Text for one cell of a table.
std::string cell(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string code(const std::string& text) {
  return text.empty() ? "" : "`" + cell(text) + "`";
}

std::string row(const std::string& key, const std::string& accepts, const std::string& fallback,
                const std::string& vissl_key, const std::string& doc) {
  return "| " + code(key) + " | " + cell(accepts) + " | " + fallback + " | " + code(vissl_key) +
         " | " + cell(doc) + " |\n";
}

std::string default_of(const Param& param) {
  if (param.has(VISSL_P_REQUIRED)) return "required";
  return param.fallback ? code(inline_toml(*param.fallback)) : "";
}

std::string row(const std::string& key, const Param& param) {
  const std::string doc = (param.has(VISSL_P_DEPRECATED) ? "Deprecated: " : "") + param.doc;
  return row(key, expectation(param), default_of(param), param.vissl_key, doc);
}

std::string joined(const std::string& path, const std::string& name) {
  return path.empty() ? name : path + "." + name;
}

std::string component_row(const SchemaKey& key, const std::string& path) {
  const std::string kind = "`" + key.param.component_kind + "`";
  const bool vowel = std::string("aeiou").find(key.param.component_kind[0]) != std::string::npos;
  const std::string article = vowel ? "an " : "a ";
  const std::string one = article + kind + " component",
                    several = "a list of " + kind + " components";
  const std::string accepts = key.shape == Shape::head_list ? several + ", or of lists of them"
                              : key.shape == Shape::component_list    ? several
                              : key.shape == Shape::component_or_list ? one + ", or a list of them"
                                                                      : one;
  const std::string fallback = key.param.has(VISSL_P_REQUIRED) ? "required"
                               : key.default_name.empty()
                                   ? ""
                                   : code("{ name = \"" + key.default_name + "\" }");
  return row(path, accepts, fallback, key.param.vissl_key, key.param.doc);
}

// The rows of `keys` below `path`, and of the sections inside them.
void add_rows(const std::vector<SchemaKey>& keys, const std::string& path, std::string& out) {
  for (const SchemaKey& key : keys) {
    const std::string here = joined(path, key.param.name);
    switch (key.shape) {
      case Shape::value:
        out += row(here, key.param);
        break;
      case Shape::section:
        add_rows(key.inner, here, out);
        for (const SchemaKey& other : key.others) {
          const std::string name = here + ".<name>";
          if (other.shape == Shape::section) {
            add_rows(other.inner, name, out);
          } else {
            out += component_row(other, name);
            add_rows(other.inner, name, out);
          }
        }
        break;
      case Shape::section_list:
        add_rows(key.inner, here + "[]", out);
        break;
      case Shape::component:
      case Shape::component_or_list:
        out += component_row(key, here);
        add_rows(key.inner, here, out);
        break;
      case Shape::component_list:
      case Shape::head_list:
        out += component_row(key, here);
        add_rows(key.inner, here + "[]", out);
        break;
    }
  }
}

std::string host_part() {
  std::string root, sections;
  for (const SchemaKey& key : root_schema().inner) {
    std::string& out = key.shape == Shape::section ? sections : root;
    if (key.shape == Shape::section)
      out += "\n### [" + key.param.name + "]\n\n" + cell(key.param.doc) + "\n\n" + kHead;
    add_rows({key}, "", out);
  }
  return "## The host's keys\n\n### At the root\n\n" + std::string(kHead) + root + sections;
}

std::string component_part(const Declaration& d) {
  std::string out = "\n### " + d.kind + "/" + d.name + "\n\n" + d.sentence + "\n";
  if (!d.params.empty()) out += "\n" + std::string(kHead);
  for (const Param& param : d.params) out += row(param.name, param);
  std::string rules;
  for (const Derivation& x : d.derivations)
    rules += "- `" + x.name + "` is `" + x.from + "`" +
             (x.strict ? ", and nothing else.\n" : " unless it is set.\n");
  for (const Implication& x : d.implications)
    rules += "- `" + x.path + "` becomes `" + inline_toml(x.value) + "` unless it is set.\n";
  for (const Requirement& x : d.requirements) {
    std::string allowed;
    for (const std::string& value : x.allowed)
      allowed += (allowed.empty() ? "`" : " or `") + value + "`";
    rules += "- `" + x.path + "` must be " + (allowed.empty() ? "set" : allowed) +
             (x.why.empty() ? "" : ": " + x.why) + ".\n";
  }
  return rules.empty() ? out : out + "\n" + rules;
}

}  // namespace

std::string key_reference(const std::vector<const Declaration*>& components) {
  std::string out = host_part();
  std::string kind;
  for (const Declaration* component : components) {
    if (component->kind != kind) out += "\n## Kind: " + component->kind + "\n";
    kind = component->kind;
    out += component_part(*component);
  }
  return out;
}

}  // namespace vissl::host
