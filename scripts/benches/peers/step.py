"""usage: step.py SPEC.json: eager training steps; prints the losses and the mean seconds of a step after `skip` steps.

SPEC: net, batch (images in .npy), weights (a checkpoint of vissl-host, or null), lr, steps, skip, threads, bf16.
"""
import json
import sys
import time

import numpy as np
import torch

from nets import Net, loss_of, sgd, train_step

spec = json.load(open(sys.argv[1], encoding="utf-8"))
torch.set_num_threads(spec["threads"])
net = Net(spec["net"])
if spec["weights"]:
    state = torch.load(spec["weights"], weights_only=True)["classy_state_dict"]["base_model"]["model"]
    ours = {"trunk." + name.removeprefix("_feature_blocks."): value for name, value in state["trunk"].items()}
    # Our heads are numbered modules of clf.0, clf.1, …; torch's head is one list of the same layers.
    renamed = {"0.clf.0": "0", "0.clf.1": "1", "1.clf.0": "3"} if spec["net"] == "demo" else {"0.clf.0": ""}
    for name, value in state["heads"].items():
        prefix, kind = name.rsplit(".", 1)
        ours[".".join(part for part in ("head", renamed[prefix], kind) if part)] = value
    net.load_state_dict(ours)
images = torch.from_numpy(np.load(spec["batch"]))
# The first batch of the default sampler over a split of this size; image i of the split has the label i mod 10.
rows = len(images) // (2 if spec["net"] == "demo" else 1)
target = torch.randperm(rows, generator=torch.Generator().manual_seed(0)) % 10
optimizer, loss_fn = sgd(net, spec["lr"]), loss_of(spec["net"])
losses, start = [], None
for step in range(spec["steps"]):
    if step == spec["skip"]:
        start = time.perf_counter()
    losses.append(train_step(net, loss_fn, optimizer, images, target, spec["bf16"]))
seconds = (time.perf_counter() - start) / (spec["steps"] - spec["skip"]) if start else None
print(json.dumps({"losses": losses, "step_seconds": seconds}))
