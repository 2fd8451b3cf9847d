#!/usr/bin/env bash
# new-plugin, for every kind: what it writes builds outside the tree against the installed SDK, its test passes, and the host
# lists, describes and uses it.
set -euo pipefail
# shellcheck source=tests/integration/installed_tree.bash
source "$VISSL_SOURCE_DIR/tests/integration/installed_tree.bash"

mapfile -t kinds < <("$host" __complete new-plugin '' | cut -f1)
((${#kinds[@]} >= 15)) || { echo "only these kinds are offered: ${kinds[*]}"; exit 1; }
mkdir "$work/all" "$work/so"
printf 'cmake_minimum_required(VERSION 3.16)\nproject(all LANGUAGES CXX)\nenable_testing()\n' >"$work/all/CMakeLists.txt"
for kind in "${kinds[@]}"; do
  "$host" new-plugin "$kind" "my_$kind" --output "$work/all/my_$kind" >"$work/written" 2>"$work/advice"
  [[ $(wc -l <"$work/written") == 4 ]] || { echo "new-plugin $kind wrote:"; cat "$work/written"; exit 1; }
  grep -qF -- "-DCMAKE_PREFIX_PATH=$moved " "$work/advice" || { echo "the advice for $kind is:"; cat "$work/advice"; exit 1; }
  echo "add_subdirectory(my_$kind)" >>"$work/all/CMakeLists.txt"
done
build_outside "$work/all" "$work/build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS='-Wall -Wextra -Werror'
quietly ctest --test-dir "$work/build" --output-on-failure --no-tests=error
count=$(sed -nE 's/^100% tests passed, 0 tests failed out of ([0-9]+)$/\1/p' "$work/log")
[[ $count == "${#kinds[@]}" ]] || { echo "$count tests ran for ${#kinds[@]} kinds"; exit 1; }
cp "$work"/build/my_*/my_*.so "$work/so/"

status=0
wrong() {
  echo "$1"
  status=1
}
mine=(--plugins "$moved/lib/vissl/plugins" --plugins "$work/so")
"$host" list "${mine[@]}" >"$work/list"
for kind in "${kinds[@]}"; do
  grep -qE "(^|[[:space:]])my_$kind " "$work/list" || wrong "list does not show my_$kind"
  "$host" describe "$kind/my_$kind" "${mine[@]}" >"$work/out" 2>&1 || wrong "describe $kind/my_$kind: $(cat "$work/out")"
done
# The kit's own trunk has this feature.
"$host" check-plugin "$work"/so/*.so 'engine/my_engine.feature="flat"' >"$work/out" 2>&1 || wrong "check-plugin: $(cat "$work/out")"

# One run that uses all of them but the engine and the readers of weights, then one with those.
cat >"$work/exp.toml" <<TOML
[data]
num_workers = 1
[data.train]
data_sources = [{ name = "my_data_source", length = 16, size = 16, num_labels = 4 }]
batchsize_per_replica = 8
collator = { name = "my_collator" }
sampler = { name = "my_sampler" }
transforms = [{ name = "my_transform" }, { name = "ToTensor" }]
[data.test]
data_sources = [{ name = "my_data_source", length = 8, size = 16, num_labels = 4 }]
batchsize_per_replica = 8
transforms = [{ name = "ToTensor" }]
[machine]
threads = 1
[model]
trunk = { name = "my_trunk", width = 8 }
heads = [{ name = "my_head", dims = [8, 4] }]
[loss]
name = "my_loss"
[optimizer]
name = "my_optimizer"
num_epochs = 2
param_groups = { name = "my_param_groups" }
[optimizer.param_schedulers.lr]
name = "my_lr_schedule"
start = 0.1
[[meters]]
name = "my_meter"
[[hooks]]
name = "my_hook"
TOML
"$host" "${mine[@]}" --config "$work/exp.toml" checkpoint.dir="$work/run" >"$work/out" 2>&1 ||
  { echo "the run failed:"; cat "$work/out"; exit 1; }
for text in grad_norm loss.confidence; do
  grep -q "$text" "$work/run/stdout.json" || wrong "stdout.json has no $text"
done
grep -q '"percent"' "$work/run/metrics.json" || wrong "metrics.json has no value of my_meter"

sed 's/^trunk = .*/&\nweights_init = { name = "my_weights", params_file = "my_weights_scheme:\/\/trained", prefix = "trunk." }/
  1i engine = { name = "my_engine", feature = "pooled" }
  1i weights_schemes = [{ name = "my_weights_scheme", root = "." }]' "$work/exp.toml" >"$work/engine.toml"
cp "$work"/run/model_final_checkpoint_phase*.torch "$work/trained.torch"
met=0
"$host" "${mine[@]}" --config "$work/engine.toml" checkpoint.dir="$work/measured" >"$work/out" 2>&1 || met=$?
# The names of a whole checkpoint do not fit a profile that expects a trunk's: it was asked, and the host judged its plan.
[[ $met == 2 ]] && grep -q 'trained.torch: nothing in it matches the model' "$work/out" || wrong "my_weights gave $met: $(cat "$work/out")"
sed -i 's/prefix = "trunk\."/prefix = ""/; s/name = "my_weights",/name = "pretrained",/; s/, prefix = ""//' "$work/engine.toml"
"$host" "${mine[@]}" --config "$work/engine.toml" checkpoint.dir="$work/measured" >"$work/out" 2>&1 ||
  wrong "my_engine failed: $(cat "$work/out")"
grep -q '"mean_length"' "$work/measured/summary.json" || wrong "summary.json has no mean_length"

# Nothing is overwritten, and wrong words are told.
refused() { # TEXT ARGUMENTS...
  local met=0
  "$host" new-plugin "${@:2}" >/dev/null 2>"$work/out" || met=$?
  [[ $met == 2 ]] && grep -qF "$1" "$work/out" || wrong "new-plugin ${*:2}: exit $met, $(cat "$work/out")"
}
before=$(sha256sum "$work/all/my_loss/"*)
refused 'exists already' loss my_loss --output "$work/all/my_loss"
[[ $(sha256sum "$work/all/my_loss/"*) == "$before" ]] || wrong "new-plugin changed files that were there"
refused "did you mean 'loss'?" los mine
refused "cannot be a component's name" loss ../mine
exit $status
