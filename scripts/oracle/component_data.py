"""What the oracles of components share: deterministic tensors that a C++ test makes anew, and JSON.

`wave(shape, seed)` has element i = sin(0.37 (i + 1) + seed) in float64, rounded to float32.
"""

import json
import math
from pathlib import Path

import torch

GOLDEN = Path(__file__).resolve().parents[2] / "tests" / "golden" / "components"


def wave(shape, seed, dtype=torch.float32):
    count = math.prod(shape)
    return torch.tensor([math.sin(0.37 * (i + 1) + seed) for i in range(count)], dtype=torch.float64).to(dtype).reshape(shape)


def numbers(tensor):
    return {"shape": list(tensor.shape), "data": [float(v) for v in tensor.detach().double().reshape(-1)]}


def write(name, value):
    GOLDEN.mkdir(parents=True, exist_ok=True)
    (GOLDEN / name).write_text(json.dumps(value, indent=None, separators=(",", ":"), sort_keys=True) + "\n")
