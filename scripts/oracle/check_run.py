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

# The optimizer's state loads into torch's own SGD, which then does a step with it.
state = classy["optimizer"]["optim"]
shapes = {number: s["momentum_buffer"].shape for number, s in state["state"].items()}
groups = [{"params": [torch.nn.Parameter(torch.zeros(shapes[n])) for n in group["params"]]}
          for group in state["param_groups"]]
trained = [t for part in (trunk, heads) for name, t in part.items() if "running" not in name and "tracked" not in name]
assert sorted(s.numel() for s in shapes.values()) == sorted(t.numel() for t in trained), "momenta of other tensors"
sgd = torch.optim.SGD(groups, lr=1.0)
sgd.load_state_dict(state)
constants = set(torch.optim.SGD([torch.zeros(1)], lr=1.0).state_dict()["param_groups"][0])
assert all(constants <= set(group) for group in state["param_groups"]), "values that torch's groups have are missing"
for group, wanted in zip(sgd.param_groups, state["param_groups"]):
    for key in ("lr", "momentum", "weight_decay"):
        assert group[key] == wanted[key], (key, group[key], wanted[key])
    for parameter, number in zip(group["params"], wanted["params"]):
        momentum = state["state"][number]["momentum_buffer"]
        assert torch.equal(sgd.state[parameter]["momentum_buffer"], momentum)
        parameter.grad = torch.zeros_like(parameter)
sgd.step()
for group in sgd.param_groups:  # from 0 along the momentum alone, which the gradient 0 has shortened
    for parameter in group["params"]:
        expected = -group["lr"] * sgd.state[parameter]["momentum_buffer"]
        assert group["nesterov"] or torch.equal(parameter.detach(), expected)

events = EventAccumulator(str(folder / "tb_logs"), size_guidance={"scalars": 0, "histograms": 0}).Reload()
losses = events.Scalars("Training/Loss")
assert [e.step for e in losses] == list(range(iterations)), "log_frequency 1 gives one loss for each step"
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
