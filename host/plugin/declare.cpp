#include "host/plugin/declare.hpp"

#include <cstddef>

#include "host/abi_text.hpp"
#include "host/boundary.hpp"
#include "host/config/toml_read.hpp"

// The host object behind vissl_decl*.
struct vissl_decl {
  vissl::host::Declaration* declaration;
};

namespace vissl::host {
namespace {

vissl_status refuse(vissl_err* err, const std::string& text) {
  if (err != nullptr && err->set != nullptr)
    err->set(err, VISSL_E_PLUGIN, {text.data(), text.size()});
  return VISSL_E_PLUGIN;
}

// Runs `body`, which returns a reason or an empty text; nothing it throws leaves the host.
template <class Body>
vissl_status guarded(vissl_err* err, Body&& body) noexcept {
  try {
    const std::string reason = body();
    return reason.empty() ? VISSL_OK : refuse(err, reason);
  } catch (const std::exception& error) {
    return refuse(err, error.what());
  }
}

bool reserved(const Declaration& declaration, const std::string& name) {
  return name == "name" || (declaration.kind == "transform" && name == "indices") ||
         (declaration.kind == "weights_scheme" && (name == "prefix" || name == "force"));
}

std::string check_type(const Param& param) {
  const std::uint32_t element = param.element();
  if ((param.type & ~(VISSL_P_TYPE_MASK | VISSL_P_LIST)) != 0 || element < VISSL_P_BOOL ||
      element > VISSL_P_MODEL)
    return "has the unknown type " + std::to_string(param.type);
  if (element == VISSL_P_MODEL && param.is_list()) return "is a list of models";
  if (element == VISSL_P_COMPONENT && param.component_kind.empty())
    return "is a component of no kind";
  if (param.has(VISSL_P_REQUIRED) && param.has(VISSL_P_OPTIONAL))
    return "is both required and optional";
  return "";
}

std::string set_default(Param& param, const std::string& toml) {
  const bool none = param.has(VISSL_P_REQUIRED) || param.has(VISSL_P_OPTIONAL);
  if (none) return toml.empty() ? "" : "has a default although it is required or optional";
  if (toml.empty()) return "has no default and is neither required nor optional";
  param.fallback = parse_toml_value(toml);
  const std::optional<std::string> wrong = mismatch(param, *param.fallback);
  return wrong ? "has the default " + toml + ", but it " + *wrong : "";
}

vissl_status add(vissl_decl* decl, const vissl_param* given, vissl_err* err) {
  return guarded(err, [&]() -> std::string {
    // All fields of the first release are needed; a plugin of a later one hands over a longer
    // struct.
    constexpr std::uint64_t kFirstRelease =
        offsetof(vissl_param, vissl_key) + sizeof(vissl_param::vissl_key);
    if (given == nullptr || given->size < kFirstRelease)
      return "a parameter description is too short";
    Param param;
    param.name = text_of(given->name);
    param.type = given->type;
    param.flags = given->flags;
    param.min = given->min;
    param.max = given->max;
    for (std::uint64_t i = 0; given->choices != nullptr && i < given->choice_count; ++i)
      param.choices.push_back(text_of(given->choices[i]));
    param.component_kind = text_of(given->component_kind);
    param.doc = text_of(given->doc);
    param.vissl_key = text_of(given->vissl_key);
    if (given->size >= offsetof(vissl_param, accepts) + sizeof(vissl_param::accepts))
      param.accepts = text_of(given->accepts);
    const std::string subject = "parameter '" + param.name + "' ";
    if (param.name.empty()) return "a parameter has no name";
    if (reserved(*decl->declaration, param.name))
      return subject + "has a name that belongs to the host";
    if (decl->declaration->find(param.name) != nullptr) return subject + "is declared twice";
    if (std::string wrong = check_type(param); !wrong.empty()) return subject + wrong;
    if (std::string wrong = set_default(param, text_of(given->default_toml)); !wrong.empty())
      return subject + wrong;
    decl->declaration->params.push_back(std::move(param));
    return "";
  });
}

vissl_status derive(vissl_decl* decl, vissl_str name, vissl_str from, uint32_t strict,
                    vissl_err* err) {
  return guarded(err, [&]() -> std::string {
    if (decl->declaration->find(text_of(name)) == nullptr)
      return "derives '" + text_of(name) + "', which it has not declared before";
    decl->declaration->derivations.push_back({text_of(name), text_of(from), strict != 0});
    return "";
  });
}

vissl_status require(vissl_decl* decl, vissl_str path, const vissl_str* allowed, uint64_t count,
                     vissl_str why, vissl_err* err) {
  return guarded(err, [&]() -> std::string {
    Requirement requirement{text_of(path), {}, text_of(why), {}};
    for (std::uint64_t i = 0; allowed != nullptr && i < count; ++i)
      requirement.allowed.push_back(text_of(allowed[i]));
    decl->declaration->requirements.push_back(std::move(requirement));
    return "";
  });
}

vissl_status imply(vissl_decl* decl, vissl_str path, vissl_str toml, vissl_err* err) {
  return guarded(err, [&]() -> std::string {
    decl->declaration->implications.push_back({text_of(path), parse_toml_value(text_of(toml))});
    return "";
  });
}

vissl_status vissl_prefix(vissl_decl* decl, vissl_str prefix, vissl_err* err) {
  return guarded(err, [&]() -> std::string {
    decl->declaration->vissl_prefix = text_of(prefix);
    return "";
  });
}

}  // namespace

const vissl_params_api& params_api() {
  static constexpr vissl_params_api api = {
      sizeof(vissl_params_api), add, derive, require, imply, vissl_prefix};
  return api;
}

void run_declare(const vissl_component& component, Declaration& declaration) {
  if (component.declare == nullptr) return;
  vissl_decl decl{&declaration};
  ErrorSink sink;
  const vissl_status status = component.declare(&decl, &params_api(), sink.get());
  if (status != VISSL_OK)
    throw Error(Exit::bad_plugin,
                "plugin '" + declaration.file + "': the declaration of " + declaration.kind + " '" +
                    declaration.name + "' is wrong: " +
                    (sink.text().empty() ? "it failed without a text" : sink.text()) +
                    "; report it to the plugin's author");
  for (Param& param : declaration.params)
    if (param.vissl_key.empty() && !declaration.vissl_prefix.empty())
      param.vissl_key = declaration.vissl_prefix + "." + param.name;
}

Value config_of_defaults(const std::string& name, const Declaration* declaration) {
  Value table = Value::table();
  table.set("name", Value::text(name));
  if (declaration == nullptr) return table;
  for (const Param& param : declaration->params)
    if (param.fallback) table.set(param.name, *param.fallback);
  return table;
}

const Param* first_required(const Declaration* declaration) {
  if (declaration == nullptr) return nullptr;
  for (const Param& param : declaration->params)
    if (param.has(VISSL_P_REQUIRED)) return &param;
  return nullptr;
}

}  // namespace vissl::host
