"""Golden optimizers: five steps of torch.optim (LARC and LARS from their definitions) on three small parameters.

    python scripts/oracle/optimizers.py      # writes tests/golden/components/optimizers.json

Parameters wave(shape, p), gradients wave(shape, 10 + 3 step + p), the learning rate changes every step; the third parameter has no
gradient in step 1.
"""

import torch

from component_data import numbers, wave, write

SHAPES = [[4, 3], [3], [2, 2, 2]]
RATES = [0.1, 0.08, 0.05, 0.2, 0.01]


class Larc:
    """apex.parallel.LARC around an optimizer, as VISSL uses it."""

    def __init__(self, optimizer, clip, eps, trust):
        self.inner, self.clip, self.eps, self.trust = optimizer, clip, eps, trust
        self.param_groups, self.state = optimizer.param_groups, optimizer.state

    def step(self):
        decays = []
        for group in self.param_groups:
            decay = group["weight_decay"]
            decays.append(decay)
            group["weight_decay"] = 0
            for p in group["params"]:
                if p.grad is None:
                    continue
                p_norm, g_norm = torch.norm(p.data), torch.norm(p.grad.data)
                if p_norm != 0 and g_norm != 0:
                    rate = self.trust * p_norm / (g_norm + p_norm * decay + self.eps)
                    if self.clip:
                        rate = min(rate / group["lr"], 1)
                    p.grad.data += decay * p.data
                    p.grad.data *= rate
        self.inner.step()
        for group, decay in zip(self.param_groups, decays):
            group["weight_decay"] = decay


class Lars(torch.optim.Optimizer):
    def __init__(self, params, weight_decay, momentum, eta, exclude):
        super().__init__(params, dict(lr=0, weight_decay=weight_decay, momentum=momentum, eta=eta, exclude=exclude))

    @torch.no_grad()
    def step(self):
        for g in self.param_groups:
            for p in g["params"]:
                if p.grad is None:
                    continue
                d = p.grad.add(p, alpha=g["weight_decay"])
                if not (g["exclude"] and p.ndim == 1):
                    p_norm, d_norm = torch.norm(p), torch.norm(d)
                    one = torch.ones_like(p_norm)
                    d = d.mul(torch.where(p_norm > 0, torch.where(d_norm > 0, g["eta"] * p_norm / d_norm, one), one))
                mu = self.state[p].setdefault("mu", torch.zeros_like(p))
                mu.mul_(g["momentum"]).add_(d)
                p.add_(mu, alpha=-g["lr"])


def sgd(params, **options):
    return torch.optim.SGD(params, lr=0.1, **options)


MAKERS = {
    "sgd_plain": lambda p: sgd(p, weight_decay=0.0, momentum=0.0),
    "sgd": lambda p: sgd(p, weight_decay=0.01, momentum=0.9),
    "sgd_nesterov": lambda p: sgd(p, weight_decay=0.01, momentum=0.9, nesterov=True),
    "sgd_larc": lambda p: Larc(sgd(p, weight_decay=0.01, momentum=0.9), False, 1e-8, 0.001),
    "sgd_larc_clip": lambda p: Larc(sgd(p, weight_decay=0.01, momentum=0.9), True, 1e-8, 0.02),
    "adam": lambda p: torch.optim.Adam(p, lr=0.1, weight_decay=0.01),
    "adam_amsgrad": lambda p: torch.optim.Adam(p, lr=0.1, weight_decay=0.0, betas=(0.8, 0.9), eps=1e-6, amsgrad=True),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.1),
    "lars": lambda p: Lars(p, 0.01, 0.9, 0.001, False),
    "lars_exclude": lambda p: Lars(p, 0.01, 0.9, 0.02, True),
}

cases = {}
for name, make in MAKERS.items():
    params = [torch.nn.Parameter(wave(shape, float(i))) for i, shape in enumerate(SHAPES)]
    optimizer = make(params)
    steps = []
    for step, rate in enumerate(RATES):
        for i, p in enumerate(params):
            p.grad = None if (step == 1 and i == 2) else wave(SHAPES[i], 10.0 + 3 * step + i)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
        steps.append([numbers(p) for p in params])
    state = [{key: numbers(value) for key, value in optimizer.state[p].items() if torch.is_tensor(value)} for p in params]
    cases[name] = {"steps": steps, "state": state}
    if not isinstance(optimizer, Lars):
        group = (optimizer.inner if isinstance(optimizer, Larc) else optimizer).state_dict()["param_groups"][0]
        cases[name]["group"] = {key: value for key, value in group.items() if key not in ("lr", "weight_decay", "momentum", "params")}
write("optimizers.json", {"rates": RATES, "cases": cases})
