#!/usr/bin/env bash
# Without libvissl_cuda.so beside the runtime: "cuda" ends with code 2 and the command that helps, "auto" runs on the
# CPU, and the settings of the copies to a GPU are accepted and described.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "$*"; exit 1; }

mkdir "$work/bin"
cp "$VISSL_HOST" "$VISSL_BUILD/libvissl_runtime.so" "$work/bin/"
host=("$work/bin/vissl-host" --plugins "$VISSL_PLUGIN_DIR" --config "$work/exp.toml")
{
  cat <<TOML
[machine]
device = "cuda"
threads = 1
precision = "fp32"
[checkpoint]
dir = "$work/run"
[data]
pin_memory = true
async_copy = true
TOML
  cat "$VISSL_SOURCE_DIR/tests/integration/small.toml"
} >"$work/exp.toml"

status=0
"${host[@]}" 2>"$work/err" || status=$?
[[ $status == 2 && $(cat "$work/err") == "error: $work/exp.toml:2:10: machine.device is \"cuda\", but libvissl_cuda.so is \
not in '$(realpath "$work/bin")'; run scripts/setup --cuda, which fetches CUDA's libraries, and scripts/build" ]] ||
  fail "cuda without the library ends with $status: $(cat "$work/err")"
[[ ! -e $work/run ]] || fail "a refused run left its folder"

"${host[@]}" machine.device=auto 2>"$work/err" || fail "auto fails: $(cat "$work/err")"
if ! [[ -e /dev/nvidiactl ]]; then
  grep -q "GPU\|CUDA" "$work/err" && fail "auto speaks of a GPU where there is none: $(cat "$work/err")"
fi
"${host[@]}" machine.device=cpu data.pin_memory=false data.async_copy=false "checkpoint.dir=$work/plain" 2>"$work/err" ||
  fail "a run without pinned memory fails: $(cat "$work/err")"
"$VISSL_BUILD/compare_runs" "$work/run" "$work/plain" || fail "pin_memory or async_copy changed a run on the CPU"
grep -q '"libtorch": "2\.' "$work/run/env.json" || fail "env.json lacks libtorch's version: $(cat "$work/run/env.json")"

status=0
"${host[@]}" data.pin_memory=3 2>"$work/err" || status=$?
[[ $status == 2 ]] && grep -q "pin_memory" "$work/err" || fail "a number for pin_memory: $status, $(cat "$work/err")"
