#!/usr/bin/env python3
"""Makes a ResNet-50 for tests/integration/convert.sh, and checks with Python's own readers what vissl-host wrote of it.

check_convert.py make FOLDER | check FOLDER
"""
import pathlib
import pickle
import sys
import warnings

import numpy
import torch
import torchvision
from safetensors.torch import load_file

FEATURES = "_feature_blocks."


def network():
    torch.manual_seed(3)
    # Narrow, so that files stay small; the names are those of a ResNet-50.
    return torchvision.models.ResNet(torchvision.models.resnet.Bottleneck, [3, 4, 6, 3], num_classes=10, groups=2,
                                     width_per_group=2)


def numbers(dtype):
    """Complex weights under a ResNet's names; the second is a view that is conjugated when it is read."""
    generator = torch.Generator().manual_seed(5)
    weights = torch.randn(4, 3, 2, 2, dtype=torch.complex128, generator=generator).to(dtype)
    return {"conv1.weight": weights, "bn1.weight": weights[:, 0, 0, 0].conj()}


def make(folder):
    state = network().state_dict()
    torch.save({"epoch": 3, "state_dict": {"module." + name: value for name, value in state.items()}}, folder / "moco.pth")
    # Element types that not every container has.
    torch.save(numbers(torch.complex64), folder / "complex64.pth")
    torch.save(numbers(torch.complex128), folder / "complex128.pth")
    # A Caffe2 file as Python 2 wrote it, with the first convolution in BGR.
    bgr = state["conv1.weight"].flip(1).contiguous().numpy()
    with open(folder / "caffe2.pkl", "wb") as file:
        pickle.dump({"blobs": {"conv1_w": bgr, "conv1_w_momentum": bgr, "res_conv1_bn_s": state["bn1.weight"].numpy(),
                               "res_conv1_bn_b": state["bn1.bias"].numpy()}}, file, protocol=2)


def equal(found, expected):
    assert list(found) and set(found) == set(expected), set(found) ^ set(expected)
    for name, value in expected.items():
        other = torch.as_tensor(found[name])
        assert other.dtype == value.dtype and torch.equal(other, value), name


def load(path):
    return torch.load(path, weights_only=True)


def check(folder):
    state = dict(network().state_dict())
    trunk = {name: value for name, value in state.items() if not name.startswith("fc.")}
    counted = {name: value for name, value in state.items() if "num_batches_tracked" not in name}

    model = load(folder / "vissl.torch")["classy_state_dict"]["base_model"]["model"]
    equal(model["trunk"], {FEATURES + name: value for name, value in trunk.items()})
    equal(model["heads"], {"0.clf.0.weight": state["fc.weight"], "0.clf.0.bias": state["fc.bias"]})
    equal(load(folder / "torchvision.pth"), state)
    network().load_state_dict(load(folder / "torchvision.pth"))
    equal(load_file(folder / "timm.safetensors"), state)
    equal(load_file(folder / "same.safetensors"), {"state_dict.module." + name: value for name, value in state.items()})
    assert load(folder / "same.pth")["epoch"] == 3
    equal(load(folder / "part.pth"), {"module." + name: value for name, value in state.items()})

    for dtype in (torch.complex64, torch.complex128):
        name = str(dtype).removeprefix("torch.")
        expected = {key: value.resolve_conj() for key, value in numbers(dtype).items()}
        equal(load(folder / f"{name}_out.pth"), expected)
        with open(folder / f"{name}_out.pkl", "rb") as file:
            equal({key: torch.from_numpy(value) for key, value in pickle.load(file).items()}, expected)
        if dtype == torch.complex64:
            equal(load_file(folder / "complex64_out.safetensors"), expected)

    with warnings.catch_warnings(), open(folder / "detectron2.pkl", "rb") as file:
        warnings.simplefilter("error")
        pickled = pickle.load(file, encoding="latin1")
    assert pickled["matching_heuristics"] is True and pickled["__author__"] == "vissl-host"
    assert all(isinstance(value, numpy.ndarray) and value.flags.c_contiguous for value in pickled["model"].values())
    zipped = load(folder / "detectron2.pth")
    assert zipped["matching_heuristics"] is True and set(zipped) == {"model", "matching_heuristics"}
    equal({name: torch.from_numpy(value) for name, value in pickled["model"].items()}, zipped["model"])
    assert torch.equal(zipped["model"]["res3.0.shortcut.norm.weight"], state["layer2.0.downsample.1.weight"])
    assert torch.equal(zipped["model"]["stem.conv1.weight"], state["conv1.weight"])
    assert len(zipped["model"]) == len(counted)
    equal(load(folder / "back.pth"), counted)

    rgb = load(folder / "rgb.pth")
    assert torch.equal(rgb["conv1.weight"], state["conv1.weight"])
    assert torch.equal(rgb["bn1.running_mean"], torch.zeros(64)) and torch.equal(rgb["bn1.running_var"], torch.ones(64))
    assert set(rgb) == {"conv1.weight", "bn1.weight", "bn1.bias", "bn1.running_mean", "bn1.running_var"}

    sliced = load(folder / "sliced.torch")
    assert sliced["type"] == "slice_list"
    paths = sliced["classy_state_dict"]["base_model"]["model"]["trunk"]
    equal({name: load(path)["weight"] for name, path in paths.items()}, {FEATURES + name: value for name, value in rgb.items()})
    equal(load(folder / "joined.torch")["classy_state_dict"]["base_model"]["model"]["trunk"],
          {FEATURES + name: value for name, value in rgb.items()})


{"make": make, "check": check}[sys.argv[1]](pathlib.Path(sys.argv[2]))
