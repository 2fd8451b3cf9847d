#include "host/plugin/catalogue.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vissl/components.h>
#include <vissl/lr_schedule.h>
#include <vissl/params.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "host/config/toml_read.hpp"
#include "host/plugin/crash_note.hpp"
#include "host/plugin/search_path.hpp"

using namespace vissl::host;

namespace {

const std::string kFolder = VISSL_TEST_PLUGIN_DIR;

struct Setup {
  explicit Setup(const std::vector<std::string>& folders, std::vector<Declaration> own = {})
      : catalogue(folders, discover_plugins(folders), std::move(own), services) {}
  HostServices services;
  PluginCatalogue catalogue;
};

std::string bad_text(const std::string& name) {
  Setup setup({kFolder + "/bad"});
  try {
    setup.catalogue.find("loss", name, "exp.toml:3:1");
  } catch (const Error& error) {
    CHECK(error.code() == Exit::bad_plugin);
    return error.what();
  }
  return "no error";
}

std::string path_of(const std::string& name) {
  return "'" + kFolder + "/bad/" + name + ".so'";
}

// Uses `name` in a child process; returns its exit code and writes its stderr to `text`.
int in_child(const std::string& name, std::string& text) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDERR_FILENO);
    install_crash_handler();
    Setup setup({kFolder + "/bad"});
    setup.catalogue.find("loss", name, "");
    ::_exit(0);
  }
  ::close(ends[1]);
  char buffer[512];
  for (ssize_t n = 0; (n = ::read(ends[0], buffer, sizeof(buffer))) > 0;)
    text.append(buffer, static_cast<std::size_t>(n));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

vissl_str str(std::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

TEST_CASE("catalogue: a component is loaded when it is used, with everything that it declares") {
  Setup setup({kFolder + "/fixture"});
  const Declaration* loss = setup.catalogue.find("loss", "swav_loss", "");
  REQUIRE(loss != nullptr);
  CHECK(loss->plugin_id == "org.example.fixture_model");
  CHECK(loss->plugin_version == "1.2.3");
  CHECK(loss->sentence == "Stands for swav_loss in tests.");
  CHECK(loss->file == kFolder + "/fixture/model.so");
  REQUIRE(loss->params.size() == 5);
  CHECK(loss->params[0].name == "temperature");
  CHECK(loss->params[0].fallback->as_number() == 0.1);
  CHECK(loss->params[0].has(VISSL_P_MIN_OPEN));
  CHECK(loss->derivations.size() == 4);
  CHECK(loss->derivations[0].strict);
  CHECK(loss->implications[0].value.as_text() == "multicrop_collator");
  CHECK(setup.catalogue.find("loss", "swav_loss", "") == loss);
  CHECK(setup.catalogue.find("trunk", "resnet", "")->params[0].vissl_key ==
        "MODEL.TRUNK.RESNETS.DEPTH");
  CHECK(setup.catalogue.find("loss", "absent", "") == nullptr);
}

TEST_CASE("catalogue: an instance knows its class table and its plugin, and destroys itself") {
  Setup setup({kFolder + "/fixture"});
  const Value config =
      parse_toml("name = \"cosine\"\nstart_value = 0.6\nend_value = 0.2\n", "exp.toml");
  const std::unique_ptr<Instance> instance = setup.catalogue.create("lr_schedule", &config);
  CHECK(instance->kind() == "lr_schedule");
  CHECK(instance->name() == "cosine");
  CHECK(instance->plugin_id() == "org.example.fixture_training");
  CHECK(instance->extension("vissl.events/1") == nullptr);
  const vissl_schedule_at at{sizeof(vissl_schedule_at), 0.5, 1, 2};
  double value = 0.0;
  ErrorSink sink;
  sink.check(
      instance->as<vissl_lr_schedule_class>().value(instance->self(), &at, &value, sink.get()), "");
  CHECK(value == doctest::Approx(0.4));
}

TEST_CASE("catalogue: a component creates others through vissl.components") {
  Setup setup({kFolder + "/fixture"});
  const Value config = parse_toml(
      "name = \"composite\"\nschedulers = [{ name = \"constant\", value = 3.0 }, { name = "
      "\"constant\", value = 5.0 }]\nlengths = [0.5, "
      "0.5]\n",
      "exp.toml");
  const std::unique_ptr<Instance> instance = setup.catalogue.create("lr_schedule", &config);
  double value = 0.0;
  for (const auto& [where, expected] : {std::pair{0.1, 3.0}, std::pair{0.9, 5.0}}) {
    const vissl_schedule_at at{sizeof(vissl_schedule_at), where, 0, 1};
    CHECK(instance->as<vissl_lr_schedule_class>().value(instance->self(), &at, &value, nullptr) ==
          VISSL_OK);
    CHECK(value == expected);
  }
  const auto* api = static_cast<const vissl_components_api*>(
      setup.services.get()->get_service(setup.services.get(), str("vissl.components/1")));
  REQUIRE(api != nullptr);
  const Value unknown = parse_toml("name = \"absent\"\n", "exp.toml");
  const void* table = nullptr;
  void* self = nullptr;
  ErrorSink sink;
  CHECK(api->create(str("lr_schedule"), &unknown, &table, &self, sink.get()) == VISSL_E_CONFIG);
  CHECK(sink.text() == "exp.toml:1:1: no plugin offers lr_schedule 'absent' (looked in '" +
                           kFolder + "/fixture')");
}

TEST_CASE("catalogue: a wrong configuration found by create keeps its place and exit code") {
  Setup setup({kFolder + "/bad"});
  const Value config = parse_toml("[loss]\nname = \"undeclared_parameter\"\n", "exp.toml");
  try {
    setup.catalogue.create("loss", config.find("loss"));
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.code() == Exit::usage);
    CHECK(std::string(error.what()).starts_with("exp.toml:1:1: loss 'undeclared_parameter': "));
    CHECK(std::string(error.what()).find("undeclared") != std::string::npos);
  }
}

TEST_CASE("bad plugin: it needs a function that nobody has") {
  CHECK(bad_text("missing_symbol") == "plugin " + path_of("missing_symbol") +
                                          " cannot be loaded: undefined symbol: "
                                          "function_that_nobody_has; build it against this SDK, "
                                          "or install the library it misses");
}

TEST_CASE("bad plugin: it exports no entry function") {
  CHECK(bad_text("no_entry") == "plugin " + path_of("no_entry") +
                                    " exports no function vissl_plugin_entry_v1; build it with the "
                                    "SDK's VISSL_PLUGIN and its version script");
}

TEST_CASE("bad plugin: no metadata, found by its file name") {
  CHECK(bad_text("no_section") == "exp.toml:3:1: loss 'no_section': plugin " +
                                      path_of("no_section") +
                                      " is no vissl plugin: it has no section .vissl_meta; build "
                                      "it with the SDK's VISSL_PLUGIN, or "
                                      "remove it from the plugin folder");
}

TEST_CASE("bad plugin: another ABI, by its metadata or by its descriptor") {
  const std::string text =
      " is built for ABI 2.0, and this host speaks ABI 1.0; get a build of the plugin for ABI 1";
  CHECK(bad_text("future_abi") ==
        "exp.toml:3:1: loss 'future_abi': plugin " + path_of("future_abi") + text);
  CHECK(bad_text("lying_abi") == "plugin " + path_of("lying_abi") + text);
}

TEST_CASE("bad plugin: its metadata lists what it does not have") {
  CHECK(bad_text("lying_metadata") ==
        "plugin " + path_of("lying_metadata") +
            " lists loss 'lying_metadata' in its metadata but does not have it; build it again");
}

TEST_CASE("bad plugin: its init refuses or throws") {
  CHECK(bad_text("failing_init") ==
        "plugin " + path_of("failing_init") + " does not start: no licence file was found");
  CHECK(bad_text("throwing_init") ==
        "plugin " + path_of("throwing_init") +
            " throws out of its init: lost its way; report it to the plugin's author");
}

TEST_CASE("bad plugin: another interface or a short class table") {
  CHECK(bad_text("other_interface") ==
        "plugin " + path_of("other_interface") +
            " offers loss 'other_interface' with interface 'vissl.loss/9', and this host knows "
            "'vissl.loss/1'; build the plugin against "
            "this host's SDK");
  CHECK(bad_text("short_table").find("with a class table of 24 bytes") != std::string::npos);
}

TEST_CASE("bad plugin: a default that breaks its own bounds") {
  CHECK(
      bad_text("bad_default") ==
      "plugin " + path_of("bad_default") +
          ": the declaration of loss 'bad_default' is wrong: parameter 'temperature' has the "
          "default -1.0, "
          "but it must be a number above 0, not the number -1.0; report it to the plugin's author");
}

TEST_CASE("bad plugin: create that returns nothing") {
  Setup setup({kFolder + "/bad"});
  const Value config = parse_toml("name = \"no_instance\"\n", "exp.toml");
  try {
    setup.catalogue.create("loss", &config);
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.code() == Exit::bad_plugin);
    CHECK(std::string(error.what()) == "exp.toml:1:1: loss 'no_instance': plugin " +
                                           path_of("no_instance") +
                                           " created nothing; report it to the plugin's author");
  }
}

TEST_CASE("bad plugin: a crash while it is loaded or started is one sentence and exit code 3") {
  std::string text;
  CHECK(in_child("crashing_init", text) == 3);
  CHECK(text == "error: plugin " + path_of("crashing_init") +
                    " crashed (SIGSEGV) while it was loaded; get a mended build of it, or remove "
                    "what uses it from the config\n");
  text.clear();
  CHECK(in_child("throwing_load", text) == 3);
  CHECK(text == "error: plugin " + path_of("throwing_load") +
                    " crashed (a constructor failed) while it was loaded; get a mended build of "
                    "it, or remove what uses it from the config\n");
}

TEST_CASE(
    "catalogue: two files with one component are an error that names both, only when it is used") {
  Setup setup({kFolder + "/duplicate", kFolder + "/fixture"});
  CHECK(setup.catalogue.entries().size() > 10);
  CHECK(setup.catalogue.find("loss", "swav_loss", "") != nullptr);
  try {
    setup.catalogue.find("loss", "twin", "exp.toml:2:8");
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.code() == Exit::bad_plugin);
    CHECK(std::string(error.what()) ==
          "exp.toml:2:8: loss 'twin' is offered by '" + kFolder + "/duplicate/first.so' and '" +
              kFolder + "/duplicate/second.so'; keep one of them in the plugin folders");
  }
}

TEST_CASE("catalogue: what the host offers itself is listed and cannot be replaced") {
  Declaration engine;
  engine.kind = "engine";
  engine.name = "train";
  engine.sentence = "Trains.";
  engine.file = "host";
  Setup setup({kFolder + "/fixture"}, {engine});
  CHECK(setup.catalogue.names("engine") == std::vector<std::string>{"nearest_neighbor", "train"});
  CHECK(setup.catalogue.find("engine", "train", "")->sentence == "Trains.");
  const std::vector<CatalogueEntry> entries = setup.catalogue.entries();
  const auto train = std::find_if(entries.begin(), entries.end(), [](const CatalogueEntry& entry) {
    return entry.name == "train";
  });
  REQUIRE(train != entries.end());
  CHECK(train->files == std::vector<std::string>{"host"});
}

TEST_CASE("services: unknown ids go to the runtime, once it is there") {
  HostServices services;
  const vissl_host* host = services.get();
  CHECK(host->get_service(host, str("vissl.value/1")) != nullptr);
  CHECK(host->get_service(host, str("vissl.params/1")) != nullptr);
  CHECK(host->get_service(host, str("vissl.tensor/1")) == nullptr);
  static const int table = 0;
  services.forward_to(
      [](std::string_view id) -> const void* { return id == "vissl.tensor/1" ? &table : nullptr; });
  CHECK(host->get_service(host, str("vissl.tensor/1")) == &table);
  CHECK(host->get_service(host, str("vissl.tensor/2")) == nullptr);
}
