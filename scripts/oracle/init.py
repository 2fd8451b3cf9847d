"""Golden initial values: what torch's modules hold after their constructors ran under torch.manual_seed(0), in order of creation.
Writes tests/golden/init.json: name -> shape and the bit patterns (hex, float32) of the first and last values and of the sum."""
import json
import struct
import sys

import torch
from torch import nn


def bits(value):
    return struct.pack(">f", float(value)).hex()


def record(tensor):
    flat = tensor.detach().reshape(-1)
    # A sum in double, so that every value counts and the order of summation does not.
    return {
        "shape": list(tensor.shape),
        "first": [bits(v) for v in flat[:8]],
        "last": [bits(v) for v in flat[-8:]],
        "sum": flat.double().sum().item(),
        "sum_of_squares": flat.double().pow(2).sum().item(),
    }


torch.manual_seed(0)
out = {}
conv = nn.Conv2d(3, 8, 7, bias=True)
linear = nn.Linear(20, 10)
grouped = nn.Conv2d(8, 16, 3, groups=4, bias=False)
for name, module in (("conv", conv), ("linear", linear), ("grouped", grouped)):
    for key, value in module.state_dict().items():
        out[f"{name}.{key}"] = record(value)
out["trunc"] = record(nn.init.trunc_normal_(torch.empty(33, 7), std=0.02, a=-2.0, b=2.0))
out["trunc_cut"] = record(nn.init.trunc_normal_(torch.empty(40), std=1.0, a=-0.5, b=0.5))
out["normal"] = record(nn.init.normal_(torch.empty(5, 3), 0.5, 2.0))
out["normal_large"] = record(nn.init.normal_(torch.empty(64, 3), 0.0, 0.01))
out["orthogonal_wide"] = record(nn.init.orthogonal_(torch.empty(4, 9), gain=1.5))
out["orthogonal_tall"] = record(nn.init.orthogonal_(torch.empty(9, 2, 2)))
torch.manual_seed(5 + 2)
out["seeded"] = record(nn.Linear(4, 4).weight)
with open(sys.argv[1] if len(sys.argv) > 1 else "tests/golden/init.json", "w") as f:
    json.dump(out, f, indent=1)
    f.write("\n")
