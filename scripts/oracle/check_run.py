#!/usr/bin/env python3
"""Reads a run folder as a Python user would: torch.load(weights_only=True), TensorBoard's own reader, JSON lines.

usage: check_run.py RUN_FOLDER EPOCHS ITERATIONS
"""
import json
import pathlib
import sys

import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

folder, epochs, iterations = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])

saved = torch.load(folder / "checkpoint.torch", weights_only=True)
assert saved["iteration"] == iterations and saved["train_phase_idx"] == epochs - 1, saved["iteration"]
assert saved["type"] == "consolidated"
classy = saved["classy_state_dict"]
trunk, heads = (classy["base_model"]["model"][part] for part in ("trunk", "heads"))
assert trunk["_feature_blocks.conv1.weight"].dtype == torch.float32
assert all(torch.isfinite(t.float()).all() for t in trunk.values())
assert "0.clf.0.weight" in heads, list(heads)
tracked = trunk["_feature_blocks.bn1.num_batches_tracked"]
assert tracked.item() == iterations, tracked

# The optimizer's state loads into torch's own SGD: same groups, names and shapes.
state = classy["optimizer"]["optim"]
params = [torch.nn.Parameter(s["momentum_buffer"].clone()) for _, s in sorted(state["state"].items())]
for group in state["param_groups"]:
    assert {"lr", "momentum", "weight_decay", "params"} <= set(group), group
assert sum(len(g["params"]) for g in state["param_groups"]) == len(params)

events = EventAccumulator(str(folder / "tb_logs"), size_guidance={"scalars": 0, "histograms": 0}).Reload()
losses = events.Scalars("Training/Loss")
assert [e.step for e in losses] == sorted({e.step for e in losses}), "steps repeat or run backwards"
assert losses[-1].step >= iterations - 2 or len(losses) > 0
assert any(tag.startswith("Parameters/") for tag in events.Tags()["histograms"])

steps = [json.loads(line) for line in (folder / "stdout.json").read_text().splitlines()]
assert [s["iter"] for s in steps] == list(range(iterations)), "stdout.json misses steps"
by_step = {e.step: e.value for e in losses}
for s in steps:
    if s["iter"] in by_step:
        assert abs(by_step[s["iter"]] - s["loss"]) < 2e-5, (s, by_step[s["iter"]])
phases = [json.loads(line) for line in (folder / "metrics.json").read_text().splitlines()]
assert [p["phase_idx"] for p in phases] == list(range(len(phases)))
assert json.loads((folder / "summary.json").read_text())["finished"] is True
print("run folder read: %d tensors, %d steps, %d phases" % (len(trunk) + len(heads), len(steps), len(phases)))
