#!/usr/bin/env bash
# scripts/bench runs: each line is JSON with its figures and commands, the loader's pixels equal torchvision's, the losses of
# three steps equal eager Python's, and torch.load reads the checkpoint. Sizes are tiny; no time is looked at.
set -euo pipefail
# shellcheck source=tests/integration/needs_python.bash
source "$VISSL_SOURCE_DIR/tests/integration/needs_python.bash"
cd "$VISSL_SOURCE_DIR"
names=$(scripts/bench --list)
for name in help list first_step operator_add loader_simclr checkpoint_save step_demo_fp32 step_resnet50_bf16 \
  weights_800_mapped weights_inspect ranks2_step ranks2_overlap channels_last_regnet; do
  grep -qx "$name" <<<"$names" || { echo "scripts/bench has no figure $name"; exit 1; }
done
status=0
text=$(scripts/bench no_such_figure 2>&1) || status=$?
[[ $status == 2 && $text == "bench: no figure is called no_such_figure; --list shows them" ]] || { echo "$status: $text"; exit 1; }

scripts/bench --build "$VISSL_BUILD" --small --rounds 1 operator_add loader_simclr checkpoint_save step_demo_fp32 \
  weights_100 weights_inspect |
  python3 -c '
import json, sys
lines = {line["name"]: line for line in map(json.loads, sys.stdin)}
assert set(lines) == {"operator_add", "loader_simclr", "checkpoint_save", "step_demo_fp32", "weights_100",
                      "weights_inspect"}, set(lines)
assert lines["weights_inspect"]["same"] == {"tensors_compared": 160}, lines["weights_inspect"]
for line in lines.values():
    assert line["ours"] > 0 and line["peer"] > 0 and line["rounds"] == 1, line
    assert line["better"] in ("lower", "higher") and line["unit"], line
    assert set(line["commands"]) == {"ours", "peer"} and line["machine"]["cores"] > 0, line
assert lines["loader_simclr"]["same"] == {"views_compared": 4, "largest_difference": 0.0}, lines["loader_simclr"]
assert lines["checkpoint_save"]["same"] == {"tensors_compared": 160, "equal": True}, lines["checkpoint_save"]
same = lines["step_demo_fp32"]["same"]
assert len(same["losses"]) == 3 and same["losses"][0] > same["losses"][2] > 0, same
assert same["largest_relative_difference"] < 1e-4, same
for name in ("loader_simclr", "step_demo_fp32"):
    assert lines[name]["memory_mb"]["ours"] > 1 and lines[name]["cpu"]["ours"] > 0, lines[name]
'
