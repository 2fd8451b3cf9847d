#!/usr/bin/env bash
# Each kind of trouble ends with its own exit code and one sentence on stderr.
set -euo pipefail
fixture=$VISSL_TEST_PLUGIN_DIR/fixture
bad=$VISSL_TEST_PLUGIN_DIR/bad
good=$VISSL_SOURCE_DIR/tests/configs_bad/base/good.toml
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

status=0
expect() { # CODE PATTERN COMMAND...: the code, and a stderr of exactly one line that matches
  local code=$1 pattern=$2 met=0
  shift 2
  "$@" > "$work/out" 2> "$work/err" || met=$?
  if [[ $met != "$code" ]] || ! grep -qE "$pattern" "$work/err" || [[ $(wc -l < "$work/err") != 1 ]]; then
    printf '%s\nended with %s instead of %s, or without one line like "%s":\n' "$*" "$met" "$code" "$pattern"
    cat "$work/err"
    status=1
  fi
}

expect 2 "^error: unknown option '--confg'" "$VISSL_HOST" --confg x
expect 2 "^error: cannot read the config file 'absent.toml': No such file" "$VISSL_HOST" show config --config absent.toml
expect 2 "^error: --plugins '/absent': no such folder" "$VISSL_HOST" list --plugins /absent

# A plugin that cannot be used stops a command that names it, and no other.
both=(--plugins "$fixture" --plugins "$bad" --config "$good")
"$VISSL_HOST" show config "${both[@]}" > "$work/out"
expect 3 "^error: plugin '$bad/missing_symbol.so' cannot be loaded: undefined symbol: function_that_nobody_has;" \
  "$VISSL_HOST" show config "${both[@]}" loss.name=missing_symbol
expect 3 "^error: .*: loss 'future_abi': plugin '$bad/future_abi.so' is built for ABI 2.0," "$VISSL_HOST" show config "${both[@]}" loss.name=future_abi
expect 3 "^error: plugin '$bad/crashing_init.so' crashed \(SIGSEGV\) while it was loaded;" "$VISSL_HOST" show config "${both[@]}" loss.name=crashing_init
expect 3 "^error: plugin '$bad/throwing_load.so' crashed \(a constructor failed\)" "$VISSL_HOST" show config "${both[@]}" loss.name=throwing_load
expect 3 "^error: .*loss 'twin' is offered by .*first.so' and .*second.so'" \
  "$VISSL_HOST" show config "${both[@]}" --plugins "$VISSL_TEST_PLUGIN_DIR/duplicate" loss.name=twin

# An executable without its runtime says what is missing; what needs none works.
mkdir "$work/bin"
cp "$VISSL_HOST" "$work/bin/"
"$work/bin/vissl-host" show config --plugins "$fixture" --config "$good" > "$work/out"
small=$VISSL_SOURCE_DIR/tests/integration/small.toml
expect 1 "^error: this command needs libvissl_runtime.so, which is neither in '$work/bin' nor in '$work/lib/vissl'" \
  "$work/bin/vissl-host" --plugins "$VISSL_PLUGIN_DIR" --config "$small"
: > "$work/bin/libvissl_runtime.so"
expect 1 "^error: cannot open the runtime: .*file too short; run scripts/setup" \
  "$work/bin/vissl-host" --plugins "$VISSL_PLUGIN_DIR" --config "$small"

# What a component refuses has the place of the value that it names, once: the file's, or the command line's.
real=(--plugins "$VISSL_PLUGIN_DIR" --config "$small")
lengths=$(awk '/^name = "constant"/ { print NR + 2 }' "$small")
sed 's/^name = "constant"/name = "composite"\nschedulers = [{ name = "constant", value = 0.1 }]\nlengths = [0.5]/; /^value = /d' \
  "$small" > "$work/lengths.toml"
expect 2 "^error: $work/lengths.toml:$lengths:11: lr_schedule 'composite': 'lengths' must add up to 1, not to 0.5\$" \
  "$VISSL_HOST" show schedule --plugins "$VISSL_PLUGIN_DIR" --config "$work/lengths.toml"
expect 2 "^error: command line: lr_schedule 'composite': 'lengths' must add up to 1, not to 0.25\$" \
  "$VISSL_HOST" show schedule --plugins "$VISSL_PLUGIN_DIR" --config "$work/lengths.toml" optimizer.param_schedulers.lr.lengths=[0.25]
expect 2 "^error: command line: transform 'RandomResizedCrop': 'size' must be an integer or \[height, width\], not 3 numbers\$" \
  "$VISSL_HOST" show batch "${real[@]}" 'data.train.transforms=[{ name = "RandomResizedCrop", size = [28, 28, 3] }]'

# A split without a batch is refused alike by what shows it and by what runs it.
few="^error: \[data.train\] has 40 samples, which make no batch of 64 with drop_last; lower batchsize_per_replica\$"
expect 2 "$few" "$VISSL_HOST" show batch "${real[@]}" data.train.drop_last=true data.train.batchsize_per_replica=64 -o "$work/views.png"
expect 2 "$few" "$VISSL_HOST" bench data "${real[@]}" data.train.drop_last=true data.train.batchsize_per_replica=64
expect 2 "$few" "$VISSL_HOST" "${real[@]}" checkpoint.dir="$work/few" data.train.drop_last=true data.train.batchsize_per_replica=64
expect 2 "^error: --output '$work/views.jpg': show batch writes a contact sheet to a .png file, or" \
  "$VISSL_HOST" show batch "${real[@]}" -o "$work/views.jpg"

# Arguments that cannot go together, or are no such thing.
old=$VISSL_SOURCE_DIR/tests/golden/weights_files/legacy_views.pth
expect 2 "^error: --json and --origins cannot be combined\$" "$VISSL_HOST" show config --json --origins --config "$small"
expect 2 "^error: 'temperature=1' names no parameter; write KIND/NAME.PARAMETER=VALUE, for example head/mlp.dims=" \
  "$VISSL_HOST" check-plugin "$VISSL_PLUGIN_DIR/mlp.so" temperature=1
expect 2 "^error: '$work' is a folder; give the name of the file to write\$" "$VISSL_HOST" convert "$old" "$work" --to torch
expect 2 "^error: --to sliced takes the whole model; leave out --part\$" \
  "$VISSL_HOST" convert "$old" "$work/slices" --to sliced --part trunk
mkdir "$work/no_plugins"
expect 2 "^error: there is no component 'weights/pretrained', which knows the names of other systems \(looked in '$work/no_plugins'\); name the folder of its plugin with --plugins\$" \
  "$VISSL_HOST" convert "$old" "$work/new.pth" --to timm --plugins "$work/no_plugins"

# A file that is named itself must be a plugin.
expect 3 "^error: plugin '/etc/passwd' is no ELF shared library; remove it" "$VISSL_HOST" list --plugins /etc/passwd
expect 3 "^error: plugin '$bad/no_section.so' is no vissl plugin" "$VISSL_HOST" list --plugins "$bad/no_section.so"

# A missing data folder.
expect 4 "^error: .*/absent" "$VISSL_HOST" show batch --plugins "$VISSL_PLUGIN_DIR" --config "$small" \
  'data.train.data_sources=[{ name = "disk_folder", path = "/absent" }]' -o "$work/views.png"
[[ ! -e $work/views.png ]] || { echo "a failed show batch left a file"; status=1; }

# A full disk.
if [[ -w /dev/full ]]; then
  code=0
  "$VISSL_HOST" list --plugins "$fixture" > /dev/full 2> "$work/err" || code=$?
  [[ $code == 1 ]] && grep -q '^error: cannot write to stdout: No space left on device$' "$work/err" || { echo "a full disk is not reported"; status=1; }
fi
exit $status
