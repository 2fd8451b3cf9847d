#!/usr/bin/env python3
"""Goes on with the AdamW of a checkpoint in torch: check_adamw.py FILE STEPS."""
import copy
import sys

import torch

state = torch.load(sys.argv[1], weights_only=True)["classy_state_dict"]["optimizer"]["optim"]
known = set(torch.optim.AdamW([torch.zeros(1)]).state_dict()["param_groups"][0])
for group in state["param_groups"]:
    assert known <= set(group), sorted(known - set(group))
    assert group["amsgrad"] is True and group["decoupled_weight_decay"] is True and group["foreach"] is None
groups = [{"params": [torch.nn.Parameter(torch.ones(state["state"][n]["exp_avg"].shape)) for n in group["params"]]}
          for group in state["param_groups"]]
adamw = torch.optim.AdamW(groups, lr=1.0)
adamw.load_state_dict(copy.deepcopy(state))  # its steps change what it is given in place
for group in adamw.param_groups:
    for parameter in group["params"]:
        assert adamw.state[parameter]["step"].item() == int(sys.argv[2])
        parameter.grad = torch.zeros_like(parameter)
adamw.step()
beta1, beta2 = 0.9, 0.999  # the defaults
for group, wanted in zip(adamw.param_groups, state["param_groups"]):
    assert group["lr"] == wanted["lr"] and list(group["betas"]) == [beta1, beta2]
    for parameter, number in zip(group["params"], wanted["params"]):
        saved, now = state["state"][number], adamw.state[parameter]
        assert now["step"].item() == int(sys.argv[2]) + 1
        assert torch.allclose(now["exp_avg"], beta1 * saved["exp_avg"], rtol=1e-6, atol=0)
        assert not torch.equal(parameter.detach(), torch.ones_like(parameter)), "the step moved nothing"
