#!/usr/bin/env bash
# libvissl_cuda.so, where it is built: made of the wheels' headers and libraries alone, opened by a run, and on a machine
# without a GPU one sentence says so. That a run computes on a GPU is shown by the tests in tests/gpu.
set -euo pipefail
library=$VISSL_BUILD/libvissl_cuda.so
if [[ ! -e $library ]]; then
  echo "skipped: libvissl_cuda.so is not built; scripts/setup --cuda fetches what it needs"
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "$*"; exit 1; }
deps=$(realpath "$VISSL_SOURCE_DIR/.deps")

# No header of a CUDA toolkit of the machine: whatever the wheels have comes from the wheels.
cd "$VISSL_BUILD"
for source in "$VISSL_SOURCE_DIR"/host/cuda/*.cpp; do
  command=$(sed -n 's|^ *"command": "\(.*\) -o [^ ]* -c [^ ]*/host/cuda/'"$(basename "$source")"'",\?$|\1|p' compile_commands.json)
  [[ -n $command ]] || fail "compile_commands.json does not compile $source"
  eval "${command//\\\"/\"} -M $source" | tr ' \\' '\n\n' | grep / | xargs realpath >>"$work/headers"
done
sort -u -o "$work/headers" "$work/headers"
for name in cuda_runtime_api.h nccl.h; do
  grep -q "^$deps/nvidia/.*/$name$" "$work/headers" || fail "$name of the wheels is not used; the check would see nothing"
done
(cd "$deps/nvidia" && find . -path '*/include/*' -type f | sed 's|.*/include/||') | sort -u >"$work/of_wheels"
grep -v "^$deps/" "$work/headers" | sed 's|^/usr/local/.*/include/||; s|^/usr/local/include/||; s|^/usr/include/||' |
  sort -u >"$work/of_others"
leaked=$(comm -12 "$work/of_wheels" "$work/of_others")
[[ -z $leaked ]] || fail "headers of a system's CUDA: $leaked"
grep "^/usr/local/" "$work/headers" && fail "headers of /usr/local are used"

# Nor one of its libraries; with no path but what the libraries themselves say.
env -u LD_LIBRARY_PATH ldd "$library" >"$work/ldd"
grep "not found" "$work/ldd" && fail "libraries are missing"
for name in libtorch_cuda.so libc10_cuda.so libcudart.so.13 libnccl.so.2 libcudnn.so.9 libcublas.so.13; do
  path=$(sed -n "s|^\s*$name => \(\S*\) .*|\1|p" "$work/ldd")
  [[ $(realpath "$path") == "$deps"/* ]] || fail "$name comes from '$path', not from $deps"
done

# A run opens it. One without the right build id is refused.
{
  printf 'machine.device = "cuda"\ncheckpoint.dir = "%s"\n' "$work/run"
  cat "$VISSL_SOURCE_DIR/tests/integration/small.toml"
} >"$work/exp.toml"
expect() { # PATTERN HOST ENVIRONMENT...
  local status=0 pattern=$1 host=$2
  shift 2
  env "$@" "$host" --plugins "$VISSL_PLUGIN_DIR" --config "$work/exp.toml" 2>"$work/err" || status=$?
  [[ $status == 2 && $(wc -l <"$work/err") == 1 ]] && grep -qE "^error: .*exp.toml:1:.*$pattern" "$work/err" ||
    fail "instead of 2 and '$pattern': $status and $(cat "$work/err")"
}
if [[ ! -e /dev/nvidiactl && ! -e /dev/dxg ]]; then
  # The linker's own record shows that the library was opened before the run was refused.
  expect "this machine has no (NVIDIA driver|GPU).*; run it on a machine with an NVIDIA GPU, or set machine.device to" \
    "$VISSL_HOST" LD_DEBUG=files LD_DEBUG_OUTPUT="$work/opened"
  grep -q "calling init: .*/libtorch_cuda.so" "$work"/opened.* || fail "the run was refused without opening CUDA's libraries"
fi
mkdir "$work/bin"
cp "$VISSL_HOST" "$VISSL_BUILD/libvissl_runtime.so" "$work/bin/"
: >"$work/bin/libvissl_cuda.so"
expect "libvissl_cuda.so cannot be opened: .*file too short; run scripts/setup --cuda" "$work/bin/vissl-host"
build_id=$(sed -n 's/.*VISSL_BUILD_ID "\(.*\)"/\1/p' "$VISSL_BUILD/generated/vissl_build.hpp")
cp "$library" "$work/bin/"
sed -i "s/$build_id/0123456789abcdef/g" "$work/bin/libvissl_runtime.so"
expect "libvissl_cuda.so has the build id $build_id, but the runtime has 0123456789abcdef; install both from one build" \
  "$work/bin/vissl-host"
