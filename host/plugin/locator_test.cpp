#include "host/plugin/locator.hpp"

#include <doctest/doctest.h>
#include <vissl/weights_scheme.h>

#include <cstdlib>
#include <map>

#include "host/config/toml_read.hpp"
#include "temp_folder.hpp"

using namespace vissl::host;

namespace {

// A scheme answers from `kAnswers`; "suffix" of its config is appended.
const std::map<std::string, std::string> kAnswers = {
    {"zoo://small", "/data/small.torch"},
    {"zoo:small", "/data/small.torch"},
    {"zoo://far", "mirror://far"},
    {"mirror://far", "file:///data/far"},
    {"zoo://odd", "data/odd"},
    {"zoo://circle", "mirror://circle"},
    {"mirror://circle", "zoo://circle"},
    {"my-zoo:org/name", "mirror://far#keep=backbone."},
    {"models/a.pth", "/mirrored/a.pth"},
    {"zoo://models/b", "/mirrored/b"},
    {"word:zoo://small", "/data/word"},
    {"ZOO://small", "/data/upper"},
    {"zoo://open?token=SECRET", "mirror://open?token=SECRET"},
    {"mirror://open?token=SECRET", "/data/open"},
};

vissl_status resolve(void* self, const vissl_weights_request* request, const vissl_out* out,
                     vissl_err* err) {
  const auto found = kAnswers.find(std::string(request->locator.data, request->locator.size));
  const std::string hello = "asked";
  request->log(request->self, 2, {hello.data(), hello.size()});
  const std::string locator(request->locator.data, request->locator.size);
  if (locator.starts_with("zoo:///")) {  // the path itself
    out->write(out->self, locator.data() + 6, locator.size() - 6);
    return VISSL_OK;
  }
  if (found == kAnswers.end()) {
    std::string text = "there is no such model";
    if (locator.find('@') != std::string::npos) {  // as one that knows passwords, but shows none
      const std::string seen = "no answer from " + locator;
      request->log(request->self, 2, {seen.data(), seen.size()});
      const std::size_t user = locator.find("://") + 3;
      text = locator.substr(0, user) + locator.substr(locator.find('@') + 1) + ": " + text;
    }
    err->set(err, VISSL_E_DATA, {text.data(), text.size()});
    return VISSL_E_DATA;
  }
  const std::string text = found->second + *static_cast<std::string*>(self);
  out->write(out->self, text.data(), text.size());
  return VISSL_OK;
}

vissl_status names(void* self, void* to, void (*found)(void*, vissl_str, vissl_str),
                   vissl_err* err) {
  const auto text = [](std::string_view s) { return vissl_str{s.data(), s.size()}; };
  const std::string& suffix = *static_cast<std::string*>(self);
  if (suffix == "broken") {
    err->set(err, VISSL_E_DATA, text("the index is torn"));
    return VISSL_E_DATA;
  }
  const std::string pinned = "https://a.example/small.pth#sha256=" + std::string(64, 'a');
  found(to, text("small" + suffix), text(pinned));
  found(to, text("big"), text("https://a.example/b/big-1234abcd.pth.tar"));
  found(to, text("dated"), text("https://a.example/dated_20210208.pth#keep=backbone."));
  return VISSL_OK;
}

constexpr vissl_weights_scheme_class kTable = {
    sizeof(vissl_weights_scheme_class), nullptr, nullptr, resolve, 0, names};
constexpr vissl_weights_scheme_class kSilent = {
    sizeof(vissl_weights_scheme_class), nullptr, nullptr, resolve, 0, nullptr};

class Scheme final : public Instance {
 public:
  Scheme(std::string name, std::string suffix)
      : name_(std::move(name)), suffix_(std::move(suffix)) {}
  const void* table() const override {
    return name_ == "mirror" || name_ == "my-zoo" ? &kSilent : &kTable;
  }
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
    Param suffix;
    suffix.name = "suffix";
    suffix.type = VISSL_P_STRING;
    suffix.fallback = Value::text("");
    for (const char* name : {"mirror", "my-zoo", "strict", "zoo"}) {
      Declaration& declaration = declarations_[name];
      declaration.kind = "weights_scheme";
      declaration.params = {suffix};
    }
    suffix.flags = VISSL_P_REQUIRED;
    suffix.fallback.reset();
    declarations_["strict"].params = {suffix};
  }
  std::unique_ptr<Instance> create(std::string_view kind, const vissl_value* config) override {
    CHECK(kind == "weights_scheme");
    const Value* suffix = config->find("suffix");
    return std::make_unique<Scheme>(config->find("name")->as_text(),
                                    suffix != nullptr ? suffix->as_text() : "");
  }
  const Declaration* find(std::string_view, std::string_view name, const std::string&) override {
    const auto found = declarations_.find(std::string(name));
    return found != declarations_.end() ? &found->second : nullptr;
  }
  std::vector<std::string> names(std::string_view) const override {
    std::vector<std::string> out;
    for (const auto& [name, declaration] : declarations_) out.push_back(name);
    return out;
  }
  void offer(const std::string& name) { declarations_[name].kind = "weights_scheme"; }
  std::string searched() const override { return "'plugins'"; }

 private:
  std::map<std::string, Declaration> declarations_;
};

class Lines final : public Logger {
 public:
  void log(LogLevel level, std::string_view text) override {
    CHECK(level == LogLevel::warning);
    lines.emplace_back(text);
  }
  void open_file(const std::string&, bool) override {}
  void progress(const Progress&) override {}
  void progress_done() override {}
  std::vector<std::string> lines;
};

Located located(const std::string& locator, const char* config = "[]") {
  Schemes schemes;
  const Value list = parse_toml_value(config);
  return locate(schemes, schemes, &list, locator, nullptr);
}

// The path, or the text of the error with `code`.
std::string resolved(const std::string& locator, Exit code = Exit::done,
                     const char* config = "[]") {
  try {
    return located(locator, config).path;
  } catch (const Error& error) {
    CHECK(error.code() == code);
    return error.what();
  }
}

const std::string kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

}  // namespace

TEST_CASE("locator: a path stays, schemes lead on to the file") {
  CHECK(resolved("weights/a.torch") == "weights/a.torch");
  CHECK(resolved("C:\\weights\\a.torch") == "C:\\weights\\a.torch");
  CHECK(resolved("c:/weights") == "c:/weights");
  CHECK(resolved("/data/a:b#1.torch") == "/data/a:b#1.torch");
  CHECK(resolved("run:3.torch") == "run:3.torch");
  CHECK(resolved("zoo://small") == "/data/small.torch");
  CHECK(resolved("zoo:small") == "/data/small.torch");
  CHECK(resolved("zoo://far") == "/data/far");
  CHECK(located("zoo://far").origin == "mirror://far");
  CHECK(located("zoo://small").origin == "zoo://small");
  CHECK(located("weights/a.torch").origin == "weights/a.torch");
}

TEST_CASE("locator: file locators are decoded and stay on this machine, ~ is the home folder") {
  CHECK(resolved("file:///data/a.torch") == "/data/a.torch");
  CHECK(resolved("file:/data/a.torch") == "/data/a.torch");
  CHECK(resolved("FILE://localhost/data/a%20b%2g.torch") == "/data/a b%2g.torch");
  CHECK(resolved("file://other/a", Exit::usage) ==
        "file://other/a: names the host 'other', but files are on this machine; write "
        "file:///other/a or the path alone");
  ::setenv("HOME", "/home/me", 1);
  CHECK(resolved("~") == "/home/me");
  CHECK(resolved("~/a.torch") == "/home/me/a.torch");
  CHECK(resolved("file://~/a.torch") == "/home/me/a.torch");
  CHECK(resolved("~root/a.torch") == "/root/a.torch");
  CHECK(resolved("~nobody-has-this-name/a") == "~nobody-has-this-name/a");
  CHECK(resolved("a~/b") == "a~/b");
}

TEST_CASE("locator: the scheme is read as mmcv reads it, whatever its case") {
  CHECK(resolved("word:zoo://small") == "/data/word");
  CHECK(resolved("ZOO://small") == "/data/upper");
  CHECK(resolved("ZOO://small", Exit::done, R"([{ name = "zoo", suffix = "!" }])") ==
        "/data/upper!");
  // Not schemes in mmcv's table test either.
  CHECK(resolved(":zoo://small") == ":zoo://small");
  CHECK(resolved(" zoo://small") == " zoo://small");
}

TEST_CASE("locator: the config gives a scheme its parameters and its prefixes; the longest wins") {
  CHECK(resolved("zoo://small", Exit::done, R"([{ name = "zoo", suffix = "!" }])") ==
        "/data/small.torch!");
  CHECK(resolved("models/a.pth", Exit::done, R"([{ name = "zoo", prefix = "models/" }])") ==
        "/mirrored/a.pth");
  const char* both = R"([{ name = "zoo", suffix = "1" }, )"
                     R"({ name = "zoo", prefix = "zoo://models/", suffix = "2" }])";
  CHECK(resolved("zoo://small", Exit::done, both) == "/data/small.torch1");
  CHECK(resolved("zoo://models/b", Exit::done, both) == "/mirrored/b2");
}

TEST_CASE("locator: a prefix is taken once, and another scheme's only by force") {
  CHECK(resolved("zoo://small", Exit::usage,
                 R"([{ name = "zoo" }, { name = "mirror", prefix = "zoo:" }])") ==
        "default: weights_schemes has two entries for 'zoo:'; give one of them another prefix");
  CHECK(resolved("a.torch", Exit::usage, R"([{ name = "mirror", prefix = "zoo://" }])") ==
        "default: the prefix 'zoo://' belongs to the weights scheme 'zoo'; add force = true to let "
        "'mirror' answer for it");
  CHECK(resolved("zoo://small", Exit::done,
                 R"([{ name = "mirror", prefix = "zoo://", suffix = "?", force = true }])") ==
        "/data/small.torch?");
  CHECK(resolved("zoo://small", Exit::done, R"([{ name = "zoo", prefix = "zoo://" }])") ==
        "/data/small.torch");
}

TEST_CASE("locator: fragments pin the content and choose a branch") {
  const vissl::test::TempFolder folder;
  const std::string file = folder / "abc";
  vissl::test::write_file(file, "abc");
  CHECK(located(file + "#sha256=" + kAbc).sha256 == kAbc);
  CHECK(located(file + "#keep=trunk.").keep == "trunk.");
  CHECK(located(file + "#keep=trunk.").path == file);
  const Located both = located("file://" + file + "#keep=a.&sha256=BA" + kAbc.substr(2));
  CHECK(both.keep == "a.");
  CHECK(both.sha256 == kAbc);
  CHECK(located("my-zoo:org/name").keep == "backbone.");
  CHECK(located("my-zoo:org/name#keep=neck.").keep == "neck.");

  const std::string other(64, '0');
  CHECK(resolved(file + "#sha256=" + other, Exit::bad_data) ==
        file + ": has sha256 " + kAbc + ", not " + other +
            " as pinned; get the right file, or correct the pin");
  CHECK(resolved("file://" + file + "#sha256=" + other, Exit::bad_data)
            .starts_with(file + ": has sha256 " + kAbc + ", not "));
  CHECK(resolved("zoo://" + file + "#sha256=" + other, Exit::bad_data)
            .starts_with("zoo://" + file + ": " + file + " has sha256 " + kAbc + ", not "));
  CHECK(resolved("a#sha256=12", Exit::usage) ==
        "a#sha256=12: a sha256 has 64 hexadecimal digits, not '12'");
  CHECK(resolved("a#keep=", Exit::usage) ==
        "a#keep=: keep= needs the beginning of the names that are kept");
  CHECK(resolved("a#keep=x&size=3", Exit::usage) ==
        "a#keep=x&size=3: 'size=3' is neither sha256=HEX nor keep=PREFIX");
  const std::string place = folder.path().string();
  CHECK(resolved(place + "#sha256=" + kAbc, Exit::usage) ==
        place +
            ": is a folder, and #sha256= pins the content of a file; name the file that is meant");
  CHECK(
      resolved("zoo://pinned#sha256=" + other, Exit::bad_data).ends_with("there is no such model"));
}

TEST_CASE("locator: what a scheme says reaches the log") {
  Schemes schemes;
  Lines log;
  CHECK(locate(schemes, schemes, nullptr, "zoo://far", &log).path == "/data/far");
  CHECK(log.lines == std::vector<std::string>{"asked", "asked"});
}

TEST_CASE("locator: no text has a locator's password or the values of its query, nor it twice") {
  Schemes schemes;
  Lines log;
  std::string text;
  try {
    locate(schemes, schemes, nullptr, "zoo://bob:HUNTER2@host/x?token=SECRET", &log);
  } catch (const Error& error) {
    CHECK(error.code() == Exit::bad_data);
    text = error.what();
  }
  CHECK(text == "zoo://host/x?token=***: there is no such model");
  CHECK(log.lines == std::vector<std::string>{"asked",
                                              "no answer from "
                                              "zoo://bob:***@host/x?token=***"});
  CHECK(resolved("zoo://x?token=SECRET", Exit::bad_data) ==
        "zoo://x?token=***: there is no such model");
  CHECK(resolved("pavillon://x?token=SECRET", Exit::usage)
            .starts_with("pavillon://x?token=***: no plugin offers"));
  CHECK(located("zoo://open?token=SECRET").origin == "mirror://open?token=***");
  CHECK(located("zoo://open?token=SECRET").path == "/data/open");
}

TEST_CASE("locator: an unknown scheme is told all that are known, however many they are") {
  Schemes schemes;
  std::string known;
  for (int i = 10; i < 40; ++i) {
    schemes.offer("a" + std::to_string(i));
    known += "a" + std::to_string(i) + ", ";
  }
  std::string text;
  try {
    locate(schemes, schemes, nullptr, "pavillon://x", nullptr);
  } catch (const Error& error) {
    text = error.what();
  }
  CHECK(text == "pavillon://x: no plugin offers the weights scheme 'pavillon'; known: " + known +
                    "mirror, my-zoo, strict, zoo (looked in 'plugins')");
}

TEST_CASE("locator: what cannot be resolved names the locator and the way out") {
  CHECK(resolved("zo://small", Exit::usage) ==
        "zo://small: no plugin offers the weights scheme 'zo'; did you mean 'zoo'? "
        "(looked in 'plugins')");
  CHECK(resolved("pavillon://x", Exit::usage) ==
        "pavillon://x: no plugin offers the weights scheme 'pavillon'; known: mirror, my-zoo, "
        "strict, zoo (looked in 'plugins')");
  CHECK(resolved("my-zo:org/name", Exit::usage) ==
        "my-zo:org/name: no plugin offers the weights scheme 'my-zo'; did you mean 'my-zoo'? For a "
        "file of that name write ./my-zo:org/name");
  CHECK(resolved("strict://small", Exit::usage) ==
        "strict://small: the weights scheme 'strict' needs its parameter 'suffix'; add "
        "weights_schemes = [{ name = \"strict\", suffix = … }] to the config");
  CHECK(resolved("zoo://gone", Exit::bad_data) == "zoo://gone: there is no such model");
  CHECK(resolved("zoo://odd", Exit::run_failed)
            .starts_with("zoo://odd: its weights scheme answers 'data/odd', which is neither"));
  CHECK(resolved("zoo://circle", Exit::run_failed).ends_with("do two schemes name each other?"));
}

TEST_CASE("locator: the known names of all schemes, under the prefixes that lead to them") {
  Schemes schemes;
  const auto lines = [&schemes](const char* config, Lines& log) {
    const Value list = parse_toml_value(config);
    std::vector<std::string> out;
    for (const KnownWeights& known : known_weights(schemes, schemes, &list, &log))
      out.push_back(known.locator + " " + known.place + " " + known.sha256);
    return out;
  };
  const std::string small = " https://a.example/small.pth " + std::string(64, 'a');
  const std::string big = " https://a.example/b/big-1234abcd.pth.tar 1234abcd";
  const std::string dated = " https://a.example/dated_20210208.pth ";
  Lines log;
  // "strict" needs a parameter that only an entry gives.
  CHECK(lines("[]", log) ==
        std::vector<std::string>{"zoo://big" + big, "zoo://dated" + dated, "zoo://small" + small});
  CHECK(lines("[{ name = \"zoo\", prefix = \"mine://\" }, { name = \"strict\", suffix = \"er\" }]",
              log) == std::vector<std::string>{"mine://big" + big, "mine://dated" + dated,
                                               "mine://small" + small, "strict://big" + big,
                                               "strict://dated" + dated, "strict://smaller" + small,
                                               "zoo://big" + big, "zoo://dated" + dated,
                                               "zoo://small" + small});
  CHECK(log.lines.empty());
  CHECK(lines("[{ name = \"zoo\", suffix = \"broken\" }]", log).empty());
  CHECK(log.lines == std::vector<std::string>{"the weights scheme 'zoo' cannot tell its names: "
                                              "zoo: the index is torn"});
}
