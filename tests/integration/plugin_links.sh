#!/usr/bin/env bash
# A plugin of two files keeps its metadata and components with every common way to build it: g++ and clang++, -O0 and
# -O2, link-time optimisation, GNU ld, gold, mold and lld, --gc-sections, strip. One symbol is exported, nothing runs at load,
# and a simple loss compiles in about a second.
set -euo pipefail
sdk=$VISSL_SOURCE_DIR/sdk
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat >first.cpp <<'CPP'
#include <vissl/lr_schedule.hpp>
struct One { double value(const vissl::ScheduleAt& at) const { return at.where; } };
struct Two { double value(const vissl::ScheduleAt& at) const { return 2 * at.where; } };
VISSL_LR_SCHEDULE(One, "one", "The first.")
VISSL_LR_SCHEDULE(Two, "two", "A sentence that is long enough for a compiler to align its text to thirty-two bytes.")
CPP
cat >second.cpp <<'CPP'
#include <vissl/loss.hpp>
namespace {
struct Mean { vissl::Tensor forward(const vissl::Tensor& x, const vissl::Tensor&) { return x.mean(); } };
}  // namespace
VISSL_LOSS(Mean, "mean", "The mean.")
VISSL_PLUGIN("org.example.links", "1.2.3")
CPP
cat >load.c <<'C'
#include <dlfcn.h>
#include <stdio.h>
#include <vissl/abi.h>
int main(int argc, char** argv) {
  void* library = dlopen(argc > 1 ? argv[1] : "", RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) return puts(dlerror()), 1;
  vissl_plugin_entry_fn entry;
  *(void**)&entry = dlsym(library, VISSL_ENTRY_SYMBOL);
  if (entry == NULL) return puts("no entry"), 1;
  const vissl_plugin* plugin = entry();
  printf("%s %s\n", plugin->id, plugin->version);
  for (const vissl_component* const* c = plugin->components; c != plugin->components_end; ++c) puts((*c)->meta);
  return 0;
}
C
gcc -std=c11 -I "$sdk/include" load.c -o load -ldl

components='loss/mean/The mean.
lr_schedule/one/The first.
lr_schedule/two/A sentence that is long enough for a compiler to align its text to thirty-two bytes.'
flags=(-std=c++17 -Wall -Wextra -Werror -fPIC -fvisibility=hidden -ffunction-sections -fdata-sections -I "$sdk/include")
status=0
checked=0
wrong() {
  echo "$1"
  status=1
}

check() { # LABEL
  checked=$((checked + 1))
  local met
  met=$(./load ./plugin.so | tail -n +2 | sort) || true
  [[ $met == "$components" ]] || wrong "$1: the loaded plugin shows '$met'"
  met=$(./load ./plugin.so | head -1) || true
  [[ $met == "org.example.links 1.2.3" ]] || wrong "$1: the plugin calls itself '$met'"
  objcopy -O binary --only-section=.vissl_meta --set-section-flags .vissl_meta=alloc plugin.so meta.bin
  met=$(tr '\0' '\n' <meta.bin | sed '/^$/d' | sort)
  [[ $met == "$components"$'\nplugin/org.example.links/1.2.3/1.0' ]] || wrong "$1: the section holds '$met'"
  met=$(nm -D --defined-only plugin.so | awk '{print $3}')
  [[ $met == vissl_plugin_entry_v1 ]] || wrong "$1: the plugin exports '$met'"
}

for compiler in g++ clang++; do
  command -v "$compiler" >/dev/null || continue
  for build in "-O0" "-O2" "-O2 -flto"; do
    read -ra mode <<<"$build"
    "$compiler" "${flags[@]}" "${mode[@]}" -c first.cpp -o first.o
    "$compiler" "${flags[@]}" "${mode[@]}" -c second.cpp -o second.o
    for linker in bfd gold mold lld; do
      command -v "ld.$linker" >/dev/null || continue
      # Each compiler's intermediate code needs a linker that can load its plugin.
      [[ $build != *flto* || $compiler == g++ && $linker != lld || $compiler == clang++ && $linker == lld ]] || continue
      "$compiler" "${mode[@]}" -shared first.o second.o -o plugin.so -fuse-ld="$linker" -Wl,--gc-sections \
        -Wl,--no-undefined -Wl,--version-script="$sdk/cmake/vissl_plugin.map"
      check "$compiler $build $linker"
      strip plugin.so
      check "$compiler $build $linker, stripped"
    done
  done
done
((checked >= 12)) || wrong "only $checked combinations were there to check"

# No constructor of ours runs at load: nothing registers itself.
if nm -C first.o second.o | grep -q '_GLOBAL__sub_I'; then wrong "a static constructor was compiled into the plugin"; fi

echo "checked $checked combinations"
exit $status
