// check-plugin names the fault of every bad plugin, and none of them harms discovery or a run.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "process.hpp"
#include "run_files.hpp"
#include "small_config.hpp"
#include "temp_folder.hpp"

using namespace vissl::test;
namespace fs = std::filesystem;

namespace {

const fs::path kBad = VISSL_BAD_PLUGIN_DIR;

struct Expected {
  std::string level, check, fragment;
};

// tests/bad_plugins/expected.txt by plugin.
std::map<std::string, Expected> expectations() {
  std::ifstream file(std::string(VISSL_SOURCE_DIR) + "/tests/bad_plugins/expected.txt");
  std::map<std::string, Expected> all;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::vector<std::string> parts;
    for (std::size_t start = 0; parts.size() < 4;) {
      const std::size_t end = parts.size() == 3 ? std::string::npos : line.find(" | ", start);
      parts.push_back(line.substr(start, end == std::string::npos ? end : end - start));
      if (end == std::string::npos) break;
      start = end + 3;
    }
    REQUIRE_MESSAGE(parts.size() == 4, line);
    CHECK_MESSAGE(all.emplace(parts[0], Expected{parts[1], parts[2], parts[3]}).second, parts[0]);
  }
  return all;
}

nlohmann::json judged(const std::vector<std::string>& files, int exit_code) {
  std::vector<std::string> arguments = {"check-plugin", "--json", "--time-limit", "4"};
  arguments.insert(arguments.end(), files.begin(), files.end());
  const Result result = run_host(arguments);
  INFO(result.err);
  CHECK(result.exit_code == exit_code);
  CHECK(result.err == "");
  return nlohmann::json::parse(result.out).at("plugins");
}

// The failed checks of one plugin, one line each.
std::string failures(const nlohmann::json& plugin) {
  std::string out;
  for (const auto& check : plugin.at("checks"))
    if (check.at("outcome") == "fail")
      out += check.at("level").get<std::string>() + " | " + check.at("check").get<std::string>() +
             " | " + check.at("text").get<std::string>() + "\n";
  return out;
}

bool found(const nlohmann::json& plugin, const Expected& expected) {
  const auto& checks = plugin.at("checks");
  return std::any_of(checks.begin(), checks.end(), [&](const nlohmann::json& check) {
    return check.at("outcome") == "fail" && check.at("level") == expected.level &&
           check.at("check") == expected.check &&
           check.at("text").get<std::string>().find(expected.fragment) != std::string::npos;
  });
}

// The faults of the plugins whose sources lie in tests/bad_plugins/FOLDER; of each `parts` files in
// the order of their names the one at `part`, so that no test takes long.
void check_folder(const std::string& folder, std::size_t part = 0, std::size_t parts = 1) {
  const std::map<std::string, Expected> all = expectations();
  std::vector<std::string> files;
  for (const auto& entry :
       fs::directory_iterator(fs::path(VISSL_SOURCE_DIR) / "tests/bad_plugins" / folder))
    if (entry.path().extension() == ".cpp")
      files.push_back((kBad / (entry.path().stem().string() + ".so")).string());
  std::sort(files.begin(), files.end());
  std::vector<std::string> mine;
  for (std::size_t i = part; i < files.size(); i += parts) mine.push_back(files[i]);
  files = std::move(mine);
  REQUIRE(!files.empty());
  for (const nlohmann::json& plugin : judged(files, 3)) {
    const std::string name = fs::path(plugin.at("path").get<std::string>()).stem().string();
    CAPTURE(name);
    CAPTURE(failures(plugin));
    REQUIRE(all.contains(name));
    CHECK(all.at(name).level == folder);
    CHECK(found(plugin, all.at(name)));
    CHECK(plugin.at("passed") == false);
  }
}

std::string bytes_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("bad plugins: every one is expected to fail, and every expectation has its plugin") {
  const std::map<std::string, Expected> all = expectations();
  CHECK(all.size() >= 25);
  for (const auto& [name, expected] : all) {
    CAPTURE(name);
    CHECK(fs::exists(fs::path(VISSL_SOURCE_DIR) / "tests/bad_plugins" / expected.level /
                     (name + ".cpp")));
  }
}

TEST_CASE("bad plugins: wrong files are named before any of their code runs") {
  check_folder("static");
}

TEST_CASE("bad plugins: what goes wrong while a file is loaded is named") {
  check_folder("load");
}

TEST_CASE("bad plugins: what breaks the contract of create, destroy and parameters is named") {
  check_folder("contract");
}

TEST_CASE("bad plugins: faults of the methods are named, part 1 of 5") {
  check_folder("behaviour", 0, 5);
}
TEST_CASE("bad plugins: faults of the methods are named, part 2 of 5") {
  check_folder("behaviour", 1, 5);
}
TEST_CASE("bad plugins: faults of the methods are named, part 3 of 5") {
  check_folder("behaviour", 2, 5);
}
TEST_CASE("bad plugins: faults of the methods are named, part 4 of 5") {
  check_folder("behaviour", 3, 5);
}
TEST_CASE("bad plugins: faults of the methods are named, part 5 of 5") {
  check_folder("behaviour", 4, 5);
}

TEST_CASE("bad plugins: damaged copies of a good file are named") {
  const TempFolder folder;
  const std::string good = bytes_of(kBad / "fine_schedule.so");
  const auto patched = [&](std::size_t at, char byte) {
    std::string bytes = good;
    bytes[at] = byte;
    return bytes;
  };
  const std::map<std::string, std::pair<std::string, std::string>> cases = {
      {"empty", {"", "is an empty file"}},
      {"text", {"#!/bin/sh\n", "is no ELF shared library"}},
      {"truncated", {good.substr(0, good.size() / 2), "is cut short"}},
      {"no_more_than_magic", {good.substr(0, 20), "is cut short"}},
      {"thirty_two_bits", {patched(4, 1), "is no 64-bit library"}},
      {"other_machine", {patched(18, char(0xb7)), "is built for AArch64"}},
      {"program", {patched(16, 2), "is no shared library (ELF type 2)"}},
  };
  for (const auto& [name, bad] : cases) {
    CAPTURE(name);
    const fs::path file = folder / (name + ".so");
    std::ofstream(file, std::ios::binary) << bad.first;
    const nlohmann::json plugin = judged({file.string()}, 3).at(0);
    CAPTURE(failures(plugin));
    CHECK(found(plugin, {"static", "elf", bad.second}));
  }
}

TEST_CASE("bad plugins: any cut of a good file is refused or judged, never a crash of the kit") {
  const TempFolder folder;
  const std::string good = bytes_of(kBad / "fine_schedule.so");
  std::vector<std::string> files;
  for (std::size_t i = 1; i <= 12; ++i) {
    files.push_back((folder / ("cut" + std::to_string(i) + ".so")).string());
    std::ofstream(files.back(), std::ios::binary) << good.substr(0, good.size() * i / 13);
  }
  CHECK(judged(files, 3).size() == files.size());
}

TEST_CASE("bad plugins: a good plugin passes and the table for people says so") {
  const Result result = run_host(
      {"check-plugin", (kBad / "fine_schedule.so").string(), (kBad / "fine_loss.so").string()});
  CHECK(result.exit_code == 0);
  CHECK(result.out.find("fine_schedule.so: ") != std::string::npos);
  CHECK(result.out.find("the gradient of inputs equals finite differences") != std::string::npos);
  CHECK(result.out.find("FAIL") == std::string::npos);
  CHECK(result.out.find("warn") == std::string::npos);
  CHECK(result.out.find("skipped") == std::string::npos);
}

TEST_CASE("bad plugins: a good loss that acts in events is judged in a small run") {
  const nlohmann::json plugin = judged({(kBad / "twin_loss.so").string()}, 0).at(0);
  CAPTURE(plugin.dump());
  std::set<std::string> passed;
  for (const auto& check : plugin.at("checks")) {
    CHECK((check.at("outcome") == "ok" || check.at("level") == "static"));
    if (check.at("outcome") == "ok") passed.insert(check.at("check").get<std::string>());
  }
  for (const char* check : {"run", "same_run", "run_handles", "run_global_state", "resume"})
    CHECK_MESSAGE(passed.contains(check), check);
  CHECK_FALSE(passed.contains("forward"));
}

TEST_CASE("bad plugins: losses with twins, queues and memories are none of them") {
  std::vector<std::string> files;
  for (const char* name : {"swav", "moco", "dino", "npid", "ibot", "deepcluster_v2"})
    files.push_back(VISSL_TEST_PLUGIN_DIR "/abi_spikes/" + std::string(name) + ".so");
  for (const nlohmann::json& plugin : judged(files, 0)) {
    CAPTURE(plugin.at("path"));
    CHECK(failures(plugin) == "");
    for (const auto& check : plugin.at("checks"))
      CHECK(check.dump().find("_M_range_check") == std::string::npos);
  }
}

TEST_CASE("bad plugins: a file that is not there is a wrong command line") {
  const Result result = run_host({"check-plugin", "nowhere.so"});
  CHECK(result.exit_code == 2);
  CHECK(result.err == "error: 'nowhere.so': no such file; name the plugin's .so file\n");
  CHECK(run_host({"check-plugin"}).exit_code == 2);
}

TEST_CASE("bad plugins: none of them keeps the others from being listed") {
  const Result result =
      run_host({"list", "--plugins", kBad.string(), "--plugins", VISSL_PLUGIN_DIR});
  CHECK(result.exit_code == 0);
  CHECK(result.seconds < 1.0);
  for (const char* name : {"fine_schedule", "simclr_info_nce_loss", "RandomResizedCrop"})
    CHECK(result.out.find(name) != std::string::npos);
  for (const char* name : {"no_section.so' is no vissl plugin", "wrong_abi.so' is built for ABI"})
    CHECK(result.err.find(name) != std::string::npos);
}

TEST_CASE("bad plugins: a run that names none of them works") {
  const TempFolder folder;
  const fs::path config = folder / "train.toml";
  write_file(config, small_config(folder / "run"));
  std::vector<std::string> arguments = run_arguments(config, {"optimizer.num_epochs=1"});
  arguments.insert(arguments.begin(), {"--plugins", kBad.string()});
  const Result result = run_host(arguments);
  INFO(result.err);
  CHECK(result.exit_code == 0);
}
