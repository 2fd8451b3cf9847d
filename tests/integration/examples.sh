#!/usr/bin/env bash
# The examples of sdk/examples, built as an outsider builds them: against a moved installed SDK, by g++ and by clang++, with
# their own tests; then two training steps with each.
set -euo pipefail
# shellcheck source=tests/integration/installed_tree.bash
source "$VISSL_SOURCE_DIR/tests/integration/installed_tree.bash"
torch=$(realpath "$VISSL_TORCH_ROOT")

# All examples as one project: each folder's CMakeLists.txt is a project of its own as well.
mkdir "$work/all"
cp -r "$VISSL_SOURCE_DIR/sdk/examples" "$work/all/examples"
{
  echo 'cmake_minimum_required(VERSION 3.16)'
  echo 'project(all_examples LANGUAGES C CXX)'
  echo 'enable_testing()'
  for folder in "$work"/all/examples/*/; do
    name=$(basename "$folder")
    echo "add_subdirectory(examples/$name)"
  done
} >"$work/all/CMakeLists.txt"

plugins=(cutout confidence_penalty confidence_penalty_stable convnet_native tensor_list triangular zoo)
for pair in "g++ gcc ON" "clang++ clang OFF"; do
  read -r compiler c tests <<<"$pair"
  build=$work/$compiler
  build_outside "$work/all" "$build" -DTORCH_ROOT="$torch" -DBUILD_TESTING=$tests -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_C_COMPILER="$c" -DCMAKE_EXPORT_COMPILE_COMMANDS=ON
  mkdir "$build/so"
  for name in "${plugins[@]}"; do
    cp "$build/examples/$name/$name.so" "$build/so/"
    exported=$(nm -D --defined-only "$build/so/$name.so" | awk '{print $3}')
    [[ $exported == vissl_plugin_entry_v1 ]] || { echo "$compiler: $name exports $exported"; exit 1; }
    if readelf -d "$build/so/$name.so" | grep -E 'RPATH|RUNPATH'; then echo "$compiler: $name has a RUNPATH"; exit 1; fi
  done

  # Who needs no libtorch sees none of its headers: neither by its include path nor among the files that were read.
  for name in cutout confidence_penalty tensor_list triangular zoo; do
    object=$(ninja -C "$build" -t targets all | sed -n "s|^\(examples/$name/CMakeFiles/$name.dir/.*\.o\): .*|\1|p")
    read_files=$(ninja -C "$build" -t deps "$object")
    grep -q 'vissl/abi.h' <<<"$read_files" || { echo "$compiler: no dependencies of $name are recorded"; exit 1; }
    if grep -E '/(ATen|c10|torch)/' <<<"$read_files"; then echo "$compiler: $name includes libtorch"; exit 1; fi
    if grep -F "$torch" <<<"$(ninja -C "$build" -t commands "$object")"; then echo "$compiler: $name has a path to libtorch"; exit 1; fi
  done
done
quietly ctest --test-dir "$work/g++" --output-on-failure --no-tests=error

status=0
wrong() {
  echo "$1"
  status=1
}
# Trains with the compiler's plugins; prints the digest of all tensors in the final checkpoint.
train() { # COMPILER NAME
  local run=$work/runs/$1/$2
  "$host" --plugins "$moved/lib/vissl/plugins" --plugins "$work/$1/so" --config "$work/$2.toml" checkpoint.dir="$run" \
    >"$work/out" 2>&1 || { echo "$1 $2 failed:" >&2; cat "$work/out" >&2; return 1; }
  local end=("$run"/model_final_checkpoint_phase*.torch)
  unzip -p "${end[0]}" '*/data/*' | sha256sum
}
penalty='name = "confidence_penalty"'
write_config "$work/cutout.toml" "$small_resnet" "$penalty" '{ name = "cutout", size = 6, gray = 128 },' ''
write_config "$work/plain.toml" "$small_resnet" "$penalty" '' ''
write_config "$work/stable.toml" "$small_resnet" 'name = "confidence_penalty_stable"' '' ''
write_config "$work/native.toml" '{ name = "convnet_native", width = 8 }' "$penalty" '' ''
sed 's/^name = "constant"/name = "triangular"\nlow = 0.0\nhigh = 0.2/; /^value = /d' "$work/plain.toml" >"$work/triangular.toml"
write_config "$work/zoo.toml" "$small_resnet" "$penalty" '' 'weights_init = { params_file = "zoo://small/penalty" }'
sed -i "1i weights_schemes = [{ name = \"zoo\", root = \"zoo_root\" }]" "$work/zoo.toml"
mkdir "$work/zoo_root"
# The trunk of a trained model as a file that the plugin tensor_list reads; written from safetensors, whose elements lie in one piece.
write_config "$work/listed.toml" "$small_resnet" "$penalty" '' "weights_init = { params_file = \"$work/trunk.tl\", profile = \"mmcv\" }"
sed 's/trunk\.tl/trunk.safetensors/' "$work/listed.toml" >"$work/safetensors.toml"
to_tensor_list() { # SAFETENSORS OUT
  python3 - "$@" <<'PYTHON'
import json, struct, sys
data = open(sys.argv[1], "rb").read()
size = struct.unpack("<Q", data[:8])[0]
entries = [(name, entry) for name, entry in json.loads(data[8:8 + size]).items() if name != "__metadata__"]
entries.sort(key=lambda pair: pair[1]["data_offsets"][0])
types = {"F32": "f32", "I64": "i64"}
head = "".join(" ".join([types[e["dtype"]], *map(str, e["shape"]), name]) + "\n" for name, e in entries)
open(sys.argv[2], "wb").write(b"TENSORS 1\n# of a test\n" + head.encode() + b"\n" + data[8 + size:])
PYTHON
}

for compiler in g++ clang++; do
  plain=$(train $compiler plain)
  [[ $(train $compiler stable) == "$plain" ]] || wrong "$compiler: the loss on the stable ABI trains to other bits"
  [[ $(train $compiler cutout) != "$plain" ]] || wrong "$compiler: cutout changes nothing"
  [[ $(train $compiler triangular) != "$plain" ]] || wrong "$compiler: the triangular schedule changes nothing"
  native=$(train $compiler native)
  [[ -n $native && $native != "$plain" ]] || wrong "$compiler: the native trunk trains to the resnet's bits"
  # What the first run learned is the second one's start, found by name.
  echo "small/penalty $(basename "$(ls "$work/runs/$compiler/plain"/model_final_checkpoint_phase*.torch)")" >"$work/zoo_root/index.txt"
  cp "$work/runs/$compiler/plain"/model_final_checkpoint_phase*.torch "$work/zoo_root/"
  [[ $(train $compiler zoo) != "$plain" ]] || wrong "$compiler: the zoo's weights change nothing"
  loaded=$(grep -oE 'loaded [0-9]+ of [0-9]+ tensors' "$work/runs/$compiler/zoo/log.txt")
  [[ $loaded =~ ^loaded\ ([0-9]+)\ of\ ([0-9]+) && ${BASH_REMATCH[1]} -gt 60 ]] || wrong "$compiler: the zoo gave: $loaded"
  # A file of a format that this plugin alone knows is listed, converted and trained from like any other.
  both=(--plugins "$moved/lib/vissl/plugins" --plugins "$work/$compiler/so")
  "$host" convert "$work/zoo_root/"model_final_checkpoint_phase*.torch "$work/trunk.safetensors" --to safetensors --force \
    --part classy_state_dict.base_model.model.trunk >"$work/out" 2>&1 || wrong "$compiler: convert: $(cat "$work/out")"
  to_tensor_list "$work/trunk.safetensors" "$work/trunk.tl"
  "$host" inspect --json --sha256 "$work/trunk.safetensors" | sed 's/"format": "safetensors"/"format": "tensor_list"/' >"$work/expected"
  "$host" inspect --json --sha256 "$work/trunk.tl" "${both[@]}" >"$work/out" 2>&1 || wrong "$compiler: inspect: $(cat "$work/out")"
  [[ $(wc -l <"$work/out") -gt 60 ]] && cmp -s "$work/expected" "$work/out" || wrong "$compiler: inspect lists: $(head -5 "$work/out")"
  rm -f "$work/again.safetensors"
  "$host" convert "$work/trunk.tl" "$work/again.safetensors" --to safetensors "${both[@]}" >"$work/out" 2>&1 || wrong "convert: $(cat "$work/out")"
  [[ $("$host" inspect --json --sha256 "$work/again.safetensors") == "$(sed 's/tensor_list/safetensors/' "$work/expected")" ]] ||
    wrong "$compiler: converted to other tensors"
  listed=$(train $compiler listed)
  [[ $listed == "$(train $compiler safetensors)" && $listed != "$plain" ]] || wrong "$compiler: the weights of tensor_list train to other bits"
  grep -q 'trunk.tl (tensor_list)' "$work/runs/$compiler/listed/log.txt" || wrong "$compiler: the log does not name the format"
  declare "sums_${compiler/++/}=$plain $native"

  # Each of them is judged, and every check of each can be done.
  code=0
  "$host" check-plugin --plugins "$moved/lib/vissl/plugins" "$work/$compiler"/so/*.so \
    "weights_scheme/zoo.root=\"$work/zoo_root\"" >"$work/out" 2>&1 || code=$?
  [[ $code == 0 && $(grep -c '\.so: ' "$work/out") == "${#plugins[@]}" ]] || wrong "$compiler: check-plugin: exit $code, $(cat "$work/out")"
  if grep -E 'FAIL|skipped' "$work/out"; then wrong "$compiler: check-plugin left these"; fi
done
# shellcheck disable=SC2154  # both are declared in the loop
[[ $sums_g == "$sums_clang" ]] || wrong "g++ and clang++ train to different bits"
write_config "$work/beta.toml" "$small_resnet" "$penalty"$'\nbeta = 0.3' '' ''
[[ $(train g++ beta) != "$plain" ]] || wrong "beta changes nothing"

# A native plugin that does not say for which libtorch it was compiled is refused with the remedy, and the others still work.
mkdir "$work/silent"
objcopy --remove-section=.vissl_native "$work/g++/so/convnet_native.so" "$work/silent/convnet_native.so"
code=0
"$host" describe trunk/convnet_native --plugins "$work/silent" >"$work/out" 2>&1 || code=$?
if [[ $code != 3 ]] || ! grep -q "without saying for which libtorch" "$work/out"; then
  wrong "a native plugin without fingerprint: exit $code, $(cat "$work/out")"
fi
"$host" list --plugins "$moved/lib/vissl/plugins" --plugins "$work/silent" >"$work/out" 2>&1
grep -q simclr "$work/out" || wrong "the native plugin without fingerprint stops list"
exit $status
