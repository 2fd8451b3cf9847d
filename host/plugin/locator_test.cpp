#include "host/plugin/locator.hpp"

#include <doctest/doctest.h>
#include <vissl/weights_scheme.h>

#include <map>

#include "host/config/toml_read.hpp"

using namespace vissl::host;

namespace {

// A scheme answers from `kAnswers`; "suffix" of its config is appended.
const std::map<std::string, std::string> kAnswers = {
    {"zoo://small", "/data/small.torch"}, {"zoo://far", "mirror://far"},
    {"mirror://far", "file:///data/far"}, {"zoo://odd", "data/odd"},
    {"zoo://circle", "mirror://circle"},  {"mirror://circle", "zoo://circle"}};

vissl_status resolve(void* self, vissl_str locator, const vissl_out* out, vissl_err* err) {
  const auto found = kAnswers.find(std::string(locator.data, locator.size));
  if (found == kAnswers.end()) {
    const std::string text = "there is no such model";
    err->set(err, VISSL_E_DATA, {text.data(), text.size()});
    return VISSL_E_DATA;
  }
  const std::string text = found->second + *static_cast<std::string*>(self);
  out->write(out->self, text.data(), text.size());
  return VISSL_OK;
}

constexpr vissl_weights_scheme_class kTable = {sizeof(vissl_weights_scheme_class), nullptr, nullptr,
                                               resolve};

class Scheme final : public Instance {
 public:
  Scheme(std::string name, std::string suffix)
      : name_(std::move(name)), suffix_(std::move(suffix)) {}
  const void* table() const override { return &kTable; }
  void* self() const override { return const_cast<std::string*>(&suffix_); }
  const void* extension(std::string_view) const override { return nullptr; }
  const std::string& kind() const override { return name_; }
  const std::string& name() const override { return name_; }
  const std::string& plugin_id() const override { return name_; }
  const std::string& plugin_version() const override { return name_; }

 private:
  std::string name_, suffix_;
};

class Schemes final : public Catalogue, public DeclarationIndex {
 public:
  Schemes() {
    zoo_.kind = mirror_.kind = strict_.kind = "weights_scheme";
    Param suffix;
    suffix.name = "suffix";
    suffix.type = VISSL_P_STRING;
    suffix.fallback = Value::text("");
    zoo_.params = mirror_.params = {suffix};
    suffix.flags = VISSL_P_REQUIRED;
    suffix.fallback.reset();
    strict_.params = {suffix};
  }
  std::unique_ptr<Instance> create(std::string_view kind, const vissl_value* config) override {
    CHECK(kind == "weights_scheme");
    return std::make_unique<Scheme>(config->find("name")->as_text(),
                                    config->find("suffix")->as_text());
  }
  const Declaration* find(std::string_view, std::string_view name, const std::string&) override {
    return name == "zoo"      ? &zoo_
           : name == "mirror" ? &mirror_
           : name == "strict" ? &strict_
                              : nullptr;
  }
  std::vector<std::string> names(std::string_view) const override {
    return {"mirror", "strict", "zoo"};
  }
  std::string searched() const override { return "'plugins'"; }

 private:
  Declaration zoo_, mirror_, strict_;
};

std::string resolved(const std::string& locator, Exit code = Exit::done,
                     const char* config = "[]") {
  Schemes schemes;
  const Value list = parse_toml_value(config);
  try {
    return resolve_locator(schemes, schemes, &list, locator);
  } catch (const Error& error) {
    CHECK(error.code() == code);
    return error.what();
  }
}

}  // namespace

TEST_CASE("locator: a path stays, file:// is cut off, schemes lead on to the file") {
  CHECK(resolved("weights/a.torch", Exit::done, "[]") == "weights/a.torch");
  CHECK(resolved("file:///data/a.torch", Exit::done, "[]") == "/data/a.torch");
  CHECK(resolved("zoo://small", Exit::done, "[]") == "/data/small.torch");
  CHECK(resolved("zoo://far", Exit::done, "[]") == "/data/far");
}

TEST_CASE("locator: the config gives a scheme its parameters") {
  CHECK(resolved("zoo://small", Exit::done, R"([{ name = "zoo", suffix = "!" }])") ==
        "/data/small.torch!");
}

TEST_CASE("locator: what cannot be resolved names the locator and the way out") {
  CHECK(resolved("zo://small", Exit::usage, "[]") ==
        "zo://small: no plugin offers the weights scheme 'zo'; did you mean 'zoo'? "
        "(looked in 'plugins')");
  CHECK(resolved("strict://small", Exit::usage, "[]") ==
        "strict://small: the weights scheme 'strict' needs its parameter 'suffix'; add "
        "weights_schemes = [{ name = \"strict\", suffix = … }] to the config");
  CHECK(resolved("zoo://gone", Exit::bad_data, "[]") == "zoo://gone: there is no such model");
  CHECK(resolved("zoo://odd", Exit::run_failed, "[]")
            .starts_with("zoo://odd: its weights scheme answers 'data/odd', which is neither"));
  CHECK(resolved("zoo://circle", Exit::run_failed, "[]")
            .ends_with("do two schemes name each other?"));
}
