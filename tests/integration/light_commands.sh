#!/usr/bin/env bash
# What needs no tensors maps no libtorch: --help, --version, list, describe, show config, show schedule, inspect. And stdout carries the data alone.
set -euo pipefail
plugins=$VISSL_TEST_PLUGIN_DIR/fixture
config=$VISSL_SOURCE_DIR/tests/configs_bad/base/good.toml
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

status=0
light() { # ARGUMENTS...: fails when the loader opens libtorch or the runtime
  if ! LD_DEBUG=files LD_DEBUG_OUTPUT="$work/loaded" "$VISSL_HOST" "$@" > "$work/out" 2> "$work/err"; then
    echo "vissl-host $* failed:"
    cat "$work/err"
    status=1
  fi
  if grep -lE 'libtorch|libc10|libvissl_runtime|libgomp' "$work"/loaded.* > /dev/null; then
    echo "vissl-host $* opened:"
    grep -hoE 'file=[^ ]*(libtorch|libc10|libvissl_runtime|libgomp)[^ ]*' "$work"/loaded.* | sort -u
    status=1
  fi
  if [[ ! -s $work/out || -s $work/err ]]; then
    echo "vissl-host $* should print on stdout alone; stderr has:"
    cat "$work/err"
    status=1
  fi
  rm -f "$work"/loaded.*
}

light --help
light --version
light list --plugins "$plugins"
light list --plugins "$plugins" --json
light describe loss/swav_loss --plugins "$plugins"
light describe loss/swav_loss --plugins "$plugins" --json
light show config --plugins "$plugins" --config "$config"
light show config --plugins "$plugins" --config "$config" --json
light show config --plugins "$plugins" --config "$config" --origins
light show keys --plugins "$plugins"
light show models --plugins "$VISSL_PLUGIN_DIR" 'resnet*'
light inspect "$VISSL_SOURCE_DIR/tests/golden/weights_files/zip_training.pth"
light inspect "$VISSL_SOURCE_DIR/tests/golden/weights_files/legacy_views.pth" --json --sha256
light convert "$VISSL_SOURCE_DIR/tests/golden/weights_files/legacy_views.pth" "$work/copy.safetensors" --to safetensors
light show schedule --plugins "$plugins" --config "$config"
light show schedule --plugins "$plugins" --config "$config" --json

# The data path needs no libtorch either.
cat > "$work/views.toml" <<'TOML'
[data.train]
data_sources = [{ name = "synthetic", length = 8, size = 16 }]
transforms = [{ name = "ToTensor" }]
batchsize_per_replica = 4
[model]
trunk = { name = "resnet" }
[loss]
name = "CrossEntropyLoss"
[optimizer]
name = "sgd"
TOML
light show batch --quiet --plugins "$VISSL_PLUGIN_DIR" --config "$work/views.toml" --output "$work/views.png"
light show batch --quiet --plugins "$VISSL_PLUGIN_DIR" --config "$work/views.toml" --output "$work/views.npy"
[[ $(wc -c < "$work/views.npy") == $((128 + 4 * 3 * 16 * 16 * 4)) ]] || { echo "show batch wrote no .npy file"; status=1; }
test_split=$(sed '/^\[model\]/,$d; s/data.train/data.test/' "$work/views.toml")
echo "$test_split" >> "$work/views.toml"
light show batch --quiet --plugins "$VISSL_PLUGIN_DIR" --config "$work/views.toml" --split test --output "$work/views.npy"
grep -qE '^data_idx +int64 +\(4,\) +0 +3$' "$work/out" || { echo "show batch shuffles a split that tests read in order"; status=1; }
light show batch --quiet --plugins "$VISSL_PLUGIN_DIR" --config "$work/views.toml" --split test --output "$work/views.npy" data.test.sampling=vissl
grep -qE '^data_idx +int64 +\(4,\) +0 +3$' "$work/out" && { echo "show batch ignores data.test.sampling"; status=1; }
light bench data --quiet --plugins "$VISSL_PLUGIN_DIR" --config "$work/views.toml"
light bench data --quiet --plugins "$VISSL_PLUGIN_DIR" --config "$work/views.toml" --json
grep -q '"images": 4,' "$work/out" || { echo "bench data counts other images than the second batch"; status=1; }
[[ $(head -c 4 "$work/views.png" | tail -c 3) == PNG ]] || { echo "show batch wrote no PNG file"; status=1; }

# The printed config reads back as the same config.
"$VISSL_HOST" show config --plugins "$plugins" --config "$config" > "$work/printed.toml"
if ! "$VISSL_HOST" show config --plugins "$plugins" --config "$work/printed.toml" | diff "$work/printed.toml" -; then
  echo "the printed config does not read back as itself"
  status=1
fi

# A bad plugin beside good ones is listed with its reason and stops nothing else.
if ! "$VISSL_HOST" list --plugins "$VISSL_TEST_PLUGIN_DIR/bad" --plugins "$plugins" > "$work/out" 2> "$work/err"; then
  echo "list stops at a bad plugin"
  status=1
fi
grep -q 'no_section.so. is no vissl plugin' "$work/err" || { echo "list hides a bad plugin"; status=1; }
grep -q swav_loss "$work/out" || { echo "list loses the good plugins"; status=1; }
exit $status
