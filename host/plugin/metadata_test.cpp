#include "host/plugin/metadata.hpp"

#include <doctest/doctest.h>
#include <elf.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "host/plugin/elf_section.hpp"

using namespace vissl::host;
namespace fs = std::filesystem;

namespace {

const std::string kGood = VISSL_TEST_PLUGIN_DIR "/fixture/model.so";

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

struct TempFile {
  TempFile(const std::string& name, const std::string& bytes)
      : path((fs::temp_directory_path() / ("vissl_" + name)).string()) {
    std::ofstream(path, std::ios::binary) << bytes;
  }
  ~TempFile() { fs::remove(path); }
  std::string path;
};

std::string problem_of(const std::string& name, const std::string& bytes) {
  const TempFile file(name, bytes);
  return read_plugin_file(file.path).problem;
}

std::string bad(const char* name) {
  return read_plugin_file(std::string(VISSL_TEST_PLUGIN_DIR "/bad/") + name).problem;
}

}  // namespace

TEST_CASE("metadata: id, version, ABI and components are read without loading the file") {
  const PluginFile file = read_plugin_file(kGood);
  CHECK(file.problem.empty());
  CHECK(file.id == "org.example.fixture_model");
  CHECK(file.version == "1.2.3");
  CHECK(file.abi_major == 1);
  CHECK(file.abi_minor == 0);
  REQUIRE(file.components.size() == 7);
  CHECK(file.components[0].kind == "head");
  CHECK(file.components[0].name == "mlp");
  CHECK(file.components[0].sentence == "Stands for mlp in tests.");
}

TEST_CASE("metadata: a file that is no plugin is listed with its reason") {
  CHECK(bad("no_section.so") ==
        "is no vissl plugin: it has no section .vissl_meta; build it with the SDK's VISSL_PLUGIN, "
        "or remove it from the plugin folder");
  CHECK(problem_of(
            "text.so",
            "just text, long enough to hold a header of sixty-four bytes and then some more") ==
        "is no ELF shared library; remove it from the plugin folder");
  CHECK(problem_of("empty.so", "") == "is an empty file; copy or build it again");
  CHECK(read_plugin_file("/nonexistent/x.so").problem ==
        "cannot be read: No such file or directory");
  CHECK(read_plugin_file("/tmp").problem == "cannot be read: Is a directory");
}

TEST_CASE("metadata: another word size, machine or file type is named") {
  std::string bytes = read(kGood);
  bytes[EI_CLASS] = ELFCLASS32;
  CHECK(problem_of("class.so", bytes).starts_with("is no 64-bit library"));
  bytes = read(kGood);
  bytes[offsetof(Elf64_Ehdr, e_machine)] = static_cast<char>(EM_RISCV);
  CHECK(problem_of("machine.so", bytes).starts_with("is built for RISC-V, and this host runs on "));
  bytes = read(kGood);
  bytes[offsetof(Elf64_Ehdr, e_type)] = ET_REL;
  CHECK(problem_of("type.so", bytes) == "is no shared library (ELF type 1); link it with -shared");
}

TEST_CASE(
    "metadata: a plugin of another ABI says what it was built for, and still lists its "
    "components") {
  const PluginFile file = read_plugin_file(VISSL_TEST_PLUGIN_DIR "/bad/future_abi.so");
  CHECK(file.problem ==
        "is built for ABI 2.0, and this host speaks ABI 1.0; get a build of the plugin for ABI 1");
  REQUIRE(file.components.size() == 1);
  CHECK(file.components[0].name == "future_abi");
}

TEST_CASE("metadata: a plugin cut at any length is refused and never read past its end") {
  const std::string bytes = read(kGood);
  REQUIRE(bytes.size() > 4096);
  for (std::size_t size = 1; size < bytes.size(); size += 61) {
    std::string reason;
    // A copy of exactly that size, so that a sanitizer sees every step too far.
    const std::string cut(bytes.data(), size);
    const auto section = elf_section(cut, ".vissl_meta", reason);
    CHECK_FALSE(section.has_value());
    CHECK_FALSE(reason.empty());
  }
}

TEST_CASE("metadata: random damage never escapes as a crash or an exception") {
  const std::string good = read(kGood);
  std::mt19937 random(7);
  int refused = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = good;
    // Hits the headers: the ELF header at the start, the section table at the end.
    for (int hit = 0; hit < 4; ++hit) {
      const std::size_t span = std::min<std::size_t>(bytes.size(), 2048);
      const std::size_t at = random() % span;
      bytes[random() % 2 != 0 ? at : bytes.size() - 1 - at] = static_cast<char>(random());
    }
    std::string reason;
    const auto section = elf_section(bytes, ".vissl_meta", reason);
    refused += section ? 0 : 1;
    if (section)
      CHECK((section->data() >= bytes.data() &&
             section->data() + section->size() <= bytes.data() + bytes.size()));
  }
  CHECK(refused > 50);
}
