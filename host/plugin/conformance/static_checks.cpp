#include "host/plugin/conformance/static_checks.hpp"

#include <vissl/abi.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "host/files/counted.hpp"
#include "host/files/mapped_file.hpp"
#include "host/plugin/elf_section.hpp"
#include "host/plugin/kinds.hpp"

namespace fs = std::filesystem;

namespace vissl::host {
namespace {

constexpr Outcome kWarn = Outcome::warn, kFail = Outcome::fail;

std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 3;
  std::string out;
  for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i)
    out += (i == 0 ? "'" : ", '") + names[i] + "'";
  if (names.size() > kShown) out += " and " + std::to_string(names.size() - kShown) + " more";
  return out;
}

bool is_torch(const std::string& library) {
  for (const char* name : {"libtorch", "libc10", "libcaffe2"})
    if (library.starts_with(name)) return true;
  return false;
}

// Mangled names of libtorch's namespaces, and the C functions of its stable ABI.
bool is_torch_symbol(const std::string& symbol) {
  for (const char* start : {"_ZN2at", "_ZNK2at", "_ZN3c10", "_ZNK3c10", "_ZN5torch", "_ZNK5torch",
                            "aoti_torch_", "torch_call_dispatcher", "torch_library_"})
    if (symbol.starts_with(start)) return true;
  return false;
}

Verdict check_metadata(const PluginFile& file) {
  std::set<std::pair<std::string, std::string>> seen;
  for (const ComponentText& text : file.components) {
    const std::string subject = text.kind + " '" + text.name + "'";
    if (!seen.insert({text.kind, text.name}).second)
      return {kFail, "lists " + subject + " twice; give each component its own name"};
    if (text.sentence.empty())
      return {kFail, "says nothing about " + subject + "; describe it in one sentence"};
  }
  for (const ComponentText& text : file.components)
    if (find_kind(text.kind) == nullptr)
      return {kWarn, "offers " + text.kind + " '" + text.name +
                         "', a kind that this host does not know and never uses"};
  if (file.components.empty())
    return {kFail, "offers no component; register one with VISSL_LOSS, VISSL_HEAD, …"};
  return {Outcome::ok, file.id + " " + file.version + ", ABI " + std::to_string(file.abi_major) +
                           "." + std::to_string(file.abi_minor) + ", " +
                           counted(file.components.size(), "component")};
}

Verdict check_exports(const ElfFacts& facts) {
  std::vector<std::string> extra;
  for (const std::string& name : facts.exported)
    if (name != VISSL_ENTRY_SYMBOL) extra.push_back(name);
  if (extra.empty()) return {};
  return {kFail, "exports " + listed(extra) +
                     ", which other plugins may bind to by accident; link it with the SDK's "
                     "vissl_plugin.map (vissl_add_plugin does)"};
}

// A libtorch that the plugin brings along: under another name, or in a folder that it points to.
std::string bundled_torch(const std::string& library, const ElfFacts& facts,
                          const std::string& folder) {
  static const std::set<std::string> kPlain = {"libtorch.so", "libtorch_cpu.so", "libtorch_cuda.so",
                                               "libc10.so", "libc10_cuda.so"};
  if (!kPlain.contains(library)) return "'" + library + "', a renamed copy";
  for (std::string place : facts.run_paths) {
    for (const char* origin : {"$ORIGIN", "${ORIGIN}"})
      if (place.starts_with(origin)) place.replace(0, std::string(origin).size(), folder);
    std::error_code ignored;
    if (fs::exists(fs::path(place) / library, ignored))
      return "'" + (fs::path(place).lexically_normal() / library).string() + "'";
  }
  return "";
}

Verdict check_needed(const ElfFacts& facts, const std::string& folder) {
  static const std::set<std::string> kSystem = {
      "libc.so.6",       "libm.so.6",  "libstdc++.so.6", "libgcc_s.so.1",       "libdl.so.2",
      "libpthread.so.0", "librt.so.1", "libatomic.so.1", "ld-linux-x86-64.so.2"};
  std::vector<std::string> torch, others;
  for (const std::string& library : facts.needed) {
    if (is_torch(library)) {
      const std::string copy = bundled_torch(library, facts, folder);
      if (!copy.empty())
        return {kFail, "brings its own libtorch (" + copy +
                           "), and two copies in one process crash it; name the plain "
                           "libtorch_cpu.so without a run path, or use the host's operators"};
      torch.push_back(library);
    } else if (!kSystem.contains(library) && !library.starts_with("libgomp") &&
               !library.starts_with("libomp") && !library.starts_with("libiomp")) {
      others.push_back(library);
    }
  }
  if (!torch.empty())
    return {kWarn, "needs " + listed(torch) +
                       ", so it fits only hosts with the libtorch that it was built for; the "
                       "host's operators (tensor.h) fit all"};
  if (!others.empty())
    return {kWarn,
            "needs " + listed(others) + ", which must be installed wherever the plugin is used"};
  return {};
}

// Of a file that fits, or of which nobody can say.
Verdict check_libtorch(const PluginFile& file) {
  if (!file.native.empty()) return {Outcome::ok, "compiled for " + file.native};
  return {Outcome::ok, file.needs_libtorch ? "its stable interface, of any later version" : ""};
}

Verdict check_openmp(const ElfFacts& facts) {
  for (const std::string& library : facts.needed) {
    if (library.starts_with("libomp") || library.starts_with("libiomp"))
      return {kFail, "brings a second OpenMP ('" + library +
                         "') beside libtorch's libgomp; build it without -fopenmp"};
    if (library.starts_with("libgomp"))
      return {kWarn, "uses OpenMP ('" + library +
                         "'), whose threads come on top of the data workers; build it without "
                         "-fopenmp"};
  }
  return {};
}

Verdict check_undefined(const ElfFacts& facts) {
  const bool needs_torch = std::any_of(facts.needed.begin(), facts.needed.end(), is_torch);
  std::vector<std::string> torch;
  for (const std::string& name : facts.undefined)
    if (is_torch_symbol(name)) torch.push_back(name);
  if (needs_torch || torch.empty()) return {};
  return {kFail, "uses " + listed(torch) +
                     " of libtorch without naming libtorch_cpu.so as a needed library, so they "
                     "are not found; link it with libtorch_cpu.so"};
}

Verdict check_memory(const ElfFacts& facts) {
  if (facts.executable_stack)
    return {kFail, "asks for an executable stack; link it with -Wl,-z,noexecstack"};
  if (facts.writable_code)
    return {kFail, "has memory that is both writable and executable; link it without -N"};
  return {};
}

Verdict check_relocations(const ElfFacts& facts) {
  if (!facts.text_relocations) return {};
  return {kFail, "has relocations in its code; compile all of it with -fPIC"};
}

Verdict check_run_path(const ElfFacts& facts) {
  for (const std::string& path : facts.run_paths)
    if (!path.starts_with("$ORIGIN") && !path.starts_with("${ORIGIN}"))
      return {kWarn, "looks for libraries in '" + path +
                         "', a folder of the machine that built it; use $ORIGIN or no run path"};
  return {};
}

Verdict check_thread_locals(const ElfFacts& facts) {
  if (!facts.static_tls) return {};
  return {kWarn,
          "uses the initial-exec model for thread-local variables, of which a process has "
          "little room; compile it without -ftls-model=initial-exec"};
}

// "needs GLIBC_2.34": the newest version of each family.
Verdict check_versions(const ElfFacts& facts) {
  std::string text;
  for (const std::string family : {"GLIBC_", "GLIBCXX_", "CXXABI_"}) {
    std::string newest;
    std::vector<int> best;
    for (const std::string& version : facts.versions) {
      if (!version.starts_with(family)) continue;
      std::vector<int> parts;
      int part = 0;
      bool good = true;
      for (const char c : version.substr(family.size()) + ".") {
        if (c == '.') {
          parts.push_back(part);
          part = 0;
        } else if (c >= '0' && c <= '9' && part < 100000) {
          part = part * 10 + (c - '0');
        } else {
          good = false;
        }
      }
      if (good && parts > best) best = parts, newest = version;
    }
    if (!newest.empty()) text += (text.empty() ? "needs " : ", ") + newest;
  }
  return {Outcome::ok, text};
}

}  // namespace

StaticResult static_checks(const PluginFile& file, const std::string& misfit) {
  StaticResult result;
  const auto add = [&](const char* check, Verdict verdict) {
    result.findings.push_back({"static", "", check, std::move(verdict)});
    return result.findings.back().verdict.outcome != kFail;
  };
  std::shared_ptr<const MappedFile> mapped;
  std::optional<ElfFacts> facts;
  std::string reason;
  try {
    mapped = MappedFile::open(file.path);
  } catch (const Error& error) {
    add("elf", {kFail, error.what()});
    return result;
  }
  const std::string_view bytes(reinterpret_cast<const char*>(mapped->bytes().data()),
                               mapped->bytes().size());
  const bool has_section = elf_section(bytes, VISSL_META_SECTION, reason).has_value();
  // The two reasons are told apart by the section's name, which only one of them holds.
  const bool no_metadata = !has_section && reason.find(VISSL_META_SECTION) != std::string::npos;
  if (!has_section && !no_metadata) {
    add("elf", {kFail, reason});
    return result;
  }
  facts = read_elf_facts(bytes, reason = "");
  if (!add("elf", facts ? Verdict{} : Verdict{kFail, reason})) return result;
  const bool metadata =
      add("metadata", !file.problem.empty() ? Verdict{kFail, file.problem} : check_metadata(file));
  const bool entry = std::find(facts->exported.begin(), facts->exported.end(),
                               VISSL_ENTRY_SYMBOL) != facts->exported.end();
  add("entry", entry ? Verdict{}
                     : Verdict{kFail, "exports no function " VISSL_ENTRY_SYMBOL
                                      "; build it with the SDK's VISSL_PLUGIN and its version "
                                      "script"});
  add("exports", check_exports(*facts));
  const bool own_torch =
      !add("needed", check_needed(*facts, fs::path(file.path).parent_path().string()));
  const bool fits =
      add("libtorch", !misfit.empty() ? Verdict{kFail, misfit} : check_libtorch(file));
  add("openmp", check_openmp(*facts));
  add("undefined", check_undefined(*facts));
  add("memory", check_memory(*facts));
  add("relocations", check_relocations(*facts));
  add("run_path", check_run_path(*facts));
  add("thread_locals", check_thread_locals(*facts));
  add("versions", check_versions(*facts));
  result.loadable = metadata && entry && !own_torch && fits;
  result.needs_runtime = file.needs_libtorch || !file.native.empty() ||
                         std::any_of(facts->needed.begin(), facts->needed.end(), is_torch);
  return result;
}

}  // namespace vissl::host
