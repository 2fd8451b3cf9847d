"""Golden values of loss scaling and of clipping: torch.amp.GradScaler and torch.nn.utils.clip_grad_norm_ themselves.

    python scripts/oracle/grad_scaler.py      # writes tests/golden/components/grad_scaler.json

Scaler: one weight w of 5 elements with loss (w * x_i).sum() and SGD at lr 0.25; in the steps BAD the gradient is infinite or NaN. Per step:
scale and tracker after update(), whether the step was taken, and w. Clipping: gradients wave([4, 3], 1), 3 * wave([7], 2) and none.
"""

import math

import torch

from component_data import numbers, wave, write

BAD = {2: math.inf, 3: -math.inf, 9: math.nan, 14: math.inf}
STEPS = 16

w = torch.nn.Parameter(wave([5], 0.0))
optimizer = torch.optim.SGD([w], lr=0.25)
scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, growth_factor=2.0, backoff_factor=0.5, growth_interval=3)
steps = []
for i in range(STEPS):
    x = wave([5], float(i))
    if i in BAD:
        x[i % 5] = BAD[i]
    optimizer.zero_grad()
    scaler.scale((w * x).sum()).backward()
    scaler.unscale_(optimizer)
    before = w.detach().clone()
    scaler.step(optimizer)
    scaler.update()
    state = scaler.state_dict()
    steps.append({"scale": state["scale"], "tracker": state["_growth_tracker"], "taken": not torch.equal(before, w.detach()), "w": numbers(w)["data"]})

clips = []
for max_norm, norm_type in ((1.0, 2.0), (0.3, 1.0), (2.5, math.inf), (100.0, 2.0)):
    parameters = [torch.nn.Parameter(torch.zeros(4, 3)), torch.nn.Parameter(torch.zeros(7)), torch.nn.Parameter(torch.zeros(2))]
    parameters[0].grad = wave([4, 3], 1.0)
    parameters[1].grad = 3 * wave([7], 2.0)
    total = torch.nn.utils.clip_grad_norm_(parameters, max_norm, norm_type)
    clips.append({"max_norm": max_norm, "norm_type": -1 if math.isinf(norm_type) else norm_type, "total": float(total), "a": numbers(parameters[0].grad)["data"], "b": numbers(parameters[1].grad)["data"]})
write("grad_scaler.json", {"steps": steps, "clips": clips})
