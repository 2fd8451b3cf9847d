#include <doctest/doctest.h>

#include <vissl/params.hpp>

#include <functional>

// The declarations are recorded as one line each, the way the host receives them.
struct vissl_decl {
  std::vector<std::string> lines;
};

namespace {

using vissl::view;

std::string text(vissl_str s) {
  return std::string(view(s));
}

vissl_status add(vissl_decl* decl, const vissl_param* p, vissl_err* err) {
  if (text(p->name) == "twice") return vissl::report(err, VISSL_E_PLUGIN, "declared twice");
  std::string line = text(p->name) + " type " + std::to_string(p->type) + " flags " +
                     std::to_string(p->flags) + " default " + text(p->default_toml);
  if (std::isfinite(p->min)) line += " min " + std::to_string(p->min);
  if (std::isfinite(p->max)) line += " max " + std::to_string(p->max);
  for (std::uint64_t i = 0; i < p->choice_count; ++i) line += " | " + text(p->choices[i]);
  if (p->component_kind.size != 0) line += " kind " + text(p->component_kind);
  line += " doc " + text(p->doc);
  if (p->vissl_key.size != 0) line += " key " + text(p->vissl_key);
  decl->lines.push_back(line);
  return VISSL_OK;
}
vissl_status derive(vissl_decl* decl, vissl_str name, vissl_str from, std::uint32_t strict,
                    vissl_err*) {
  decl->lines.push_back(text(name) + " <- " + text(from) + (strict != 0 ? " strict" : ""));
  return VISSL_OK;
}
vissl_status require(vissl_decl* decl, vissl_str path, const vissl_str* allowed,
                     std::uint64_t count, vissl_str why, vissl_err*) {
  std::string line = text(path) + " in";
  for (std::uint64_t i = 0; i < count; ++i) line += " " + text(allowed[i]);
  decl->lines.push_back(line + " because " + text(why));
  return VISSL_OK;
}
vissl_status imply(vissl_decl* decl, vissl_str path, vissl_str toml, vissl_err*) {
  decl->lines.push_back(text(path) + " = " + text(toml));
  return VISSL_OK;
}
vissl_status prefix(vissl_decl* decl, vissl_str prefix, vissl_err*) {
  decl->lines.push_back("prefix " + text(prefix));
  return VISSL_OK;
}
const vissl_params_api kApi = {sizeof(vissl_params_api), &add, &derive, &require, &imply, &prefix};

std::vector<std::string> declared(const std::function<void(vissl::Params&)>& body) {
  vissl_decl decl;
  vissl::Params params(&decl, &kApi);
  body(params);
  params.finish();
  return decl.lines;
}

using namespace vissl;
using Lines = std::vector<std::string>;

TEST_CASE("params: numbers carry default, bounds and VISSL key") {
  CHECK(declared([](Params& p) {
          p.number("temperature", 0.1, above(0.0), "Divides.").vissl("LOSS.x.temperature");
          p.number("p", 1, between(0.0, 1.0), "Probability.");
          p.number("momentum", required, at_least(0.0).below(1.0), "Decay.");
          p.integer("topk", optional, "Neighbours.").deprecated();
          p.number("eps", 1e-8, "Added.");
        }) == Lines{"temperature type 3 flags 4 default 0.1 min 0.000000 doc Divides. key "
                    "LOSS.x.temperature",
                    "p type 3 flags 0 default 1.0 min 0.000000 max 1.000000 doc Probability.",
                    "momentum type 3 flags 9 default  min 0.000000 max 1.000000 doc Decay.",
                    "topk type 2 flags 34 default  doc Neighbours.",
                    "eps type 3 flags 0 default 1e-08 doc Added."});
}

TEST_CASE("params: text, lists and components carry their TOML defaults") {
  CHECK(declared([](Params& p) {
          p.string("reduction", "mean", one_of("mean", "sum"), "How.");
          p.string("odd", "a\"b\\c\n", "Quoted.");
          p.integers("dims", {2048, 128}, at_least(1), "Widths.");
          p.integers("none", {}, "Empty.");
          p.numbers("mean", {0.5, 1.0}, "Mean.");
          p.strings("names", {"a", "b"}, "Names.");
          p.booleans("flags", {true, false}, "Flags.");
          p.path("path", required, "Folder.");
          p.any("args", "[[1, 1]]", "Anything.");
          p.table("extra", "{}", "Free.");
          p.component("inner", "loss", required, "One.");
          p.components("schedulers", "lr_schedule", "[]", "Many.");
        }) == Lines{"reduction type 4 flags 0 default \"mean\" | mean | sum doc How.",
                    "odd type 4 flags 0 default \"a\\\"b\\\\c\\u000a\" doc Quoted.",
                    "dims type 258 flags 0 default [2048, 128] min 1.000000 doc Widths.",
                    "none type 258 flags 0 default [] doc Empty.",
                    "mean type 259 flags 0 default [0.5, 1.0] doc Mean.",
                    "names type 260 flags 0 default [\"a\", \"b\"] doc Names.",
                    "flags type 257 flags 0 default [true, false] doc Flags.",
                    "path type 4 flags 17 default  doc Folder.",
                    "args type 6 flags 0 default [[1, 1]] doc Anything.",
                    "extra type 5 flags 0 default {} doc Free.",
                    "inner type 7 flags 1 default  kind loss doc One.",
                    "schedulers type 263 flags 0 default [] kind lr_schedule doc Many."});
}

TEST_CASE("params: rules follow the parameter that was declared before them") {
  CHECK(declared([](Params& p) {
          p.vissl_prefix("LOSS.x");
          p.boolean("flag", false, "A flag.");
          p.derive("memory_size", "len(data.train)");
          p.derive_strictly("size", "data.size");
          p.require_collator("simclr_collator", "it needs two views");
          p.imply("data.train.label_type", "\"sample_index\"");
        }) == Lines{"prefix LOSS.x", "flag type 1 flags 0 default false doc A flag.",
                    "memory_size <- len(data.train)", "size <- data.size strict",
                    "data.train.collator.name in simclr_collator because it needs two views",
                    "data.train.label_type = \"sample_index\""});
}

TEST_CASE("params: a declaration that the host refuses is a failure") {
  CHECK_THROWS_WITH_AS(declared([](Params& p) { p.boolean("twice", false, "Again."); }),
                       "declared twice", Failure);
}

}  // namespace
