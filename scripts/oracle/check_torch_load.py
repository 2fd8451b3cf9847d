#!/usr/bin/env python3
"""Loads the files that our writer makes with torch's restricted loader and compares every value.

usage: check_torch_load.py FILE...   (default: tests/golden/torch_zip/ours*.torch)
The unit tests assert that the writer makes exactly these bytes, so this needs to run only where torch
is at hand.
"""
import collections
import math
import pathlib
import sys

import torch

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "torch_zip"


def check(tree):
    assert type(tree) is dict
    assert tree["none"] is None
    assert tree["bools"] == [True, False]
    assert tree["ints"] == [0, 255, 256, 65535, 65536, -1, 2**63 - 1, -(2**63)]
    half, minus_zero, large, nan = tree["floats"]
    assert half == 0.5 and math.copysign(1, minus_zero) == -1 and large == 1e300 and math.isnan(nan)
    assert tree["text"] == "Grüße, 世界"
    assert tree["bytes"] == bytes(range(256))
    assert tree["tuples"] == [(), (1,), (1, "two", ())]
    assert tree["empty"] == [{}, [], {}] and type(tree["empty"][2]) is collections.OrderedDict
    assert tree[7] == "int key"

    state = tree["state_dict"]
    assert type(state) is collections.OrderedDict
    assert state._metadata == {"": {"version": 1}}
    weight = torch.arange(6.0).reshape(2, 3)
    assert torch.equal(state["weight"], weight)
    assert torch.equal(state["transposed"], weight.t())
    assert torch.equal(state["tail"], torch.tensor([4.0, 5.0]))
    shared = {state[k].untyped_storage().data_ptr() for k in ("weight", "transposed", "tail")}
    assert len(shared) == 1, "the views no longer share their storage"
    assert isinstance(state["parameter"], torch.nn.Parameter) and state["parameter"].requires_grad
    assert state["scalar"].item() == 9 and state["scalar"].shape == ()
    assert state["nothing"].shape == (0, 5)
    for name, tensor in tree["types"].items():
        assert tensor.dtype == getattr(torch, name), name
        assert tensor.shape == (2,) and not tensor.to(torch.complex64).any(), name


def main():
    files = [pathlib.Path(name) for name in sys.argv[1:]] or sorted(FOLDER.glob("ours*.torch"))
    assert files, "no file to check"
    for file in files:
        for mmap in (False, True):
            check(torch.load(file, weights_only=True, mmap=mmap))
            with torch.serialization.skip_data():
                torch.load(file, weights_only=True)
        torch.save(torch.load(file, weights_only=True), "/dev/null")
        print(f"{file.name}: torch {torch.__version__} reads it")


if __name__ == "__main__":
    main()
