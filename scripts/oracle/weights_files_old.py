#!/usr/bin/env python
"""Adds to tests/golden/weights_files/ what an older release of torch writes: old_*_RELEASE.*, RELEASE being 1131 for 1.13.1,
and with _py2 behind it when Python 2 wrote. It runs under that release's own Python (from 2.7) with its torch and numpy alone.
The committed files are of
    torch 1.0.0 (Python 3.6), 1.4.0 (2.7 and 3.7), 1.5.1 and 1.6.0 (3.8), 1.10.0 (3.9), 1.13.1, 2.1.2 and 2.6.0 (3.10).
Every file holds few small tensors; manifest.json gets their SHA-256 as torch has them.
"""
from __future__ import print_function

import argparse
import collections
import ctypes
import hashlib
import io
import json
import os
import sys

import torch

from weights_files_source import with_stand_in_source, without_source

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "golden", "weights_files")
VERSION = tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:3])
RELEASE = "".join(str(part) for part in VERSION) + ("_py2" if sys.version_info[0] == 2 else "")
TYPES = ["uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64", "complex64", "complex128",
         "bool"]


# ---- what the manifest says of a tree


def tensor_bytes(tensor):
    data = tensor.detach().contiguous()
    return ctypes.string_at(data.data_ptr(), data.numel() * data.element_size()) if data.numel() else b""


def listed(value, prefix=""):
    def inner(key):
        return prefix + "." + str(key) if prefix else str(key)
    if isinstance(value, torch.Tensor):
        return [collections.OrderedDict([
            ("name", prefix), ("dtype", str(value.dtype)[len("torch."):]), ("shape", list(value.shape)),
            ("sha256", hashlib.sha256(tensor_bytes(value)).hexdigest())])]
    if isinstance(value, torch.nn.Module):
        return listed(value.state_dict(), prefix)
    if isinstance(value, dict):
        return [line for key, item in value.items() for line in listed(item, inner(key))]
    if isinstance(value, (list, tuple)):
        return [line for index, item in enumerate(value) for line in listed(item, inner(index))]
    return []


# ---- what is saved


def numbers(dtype, *shape):
    count = torch.Size(shape).numel()
    return (torch.arange(count, dtype=torch.float64) - 2).abs().to(dtype).reshape(shape)


def plain_types():
    """Of the types those that this release can make and save."""
    tree = collections.OrderedDict()
    for name in TYPES:
        try:
            tensor = numbers(getattr(torch, name), 2, 3)
            torch.save(tensor, io.BytesIO())
        except (AttributeError, KeyError, RuntimeError, TypeError):
            continue
        tree[name] = tensor
    return tree


def views():
    base = numbers(torch.float32, 4, 6)
    return collections.OrderedDict([
        ("base", base), ("transposed", base.t()), ("column", base[:, 2]), ("tail", base[2:]), ("same", base),
        ("expanded", numbers(torch.float32, 1)[0].expand(3, 2)), ("every_other", base[::2, 1::3]),
        ("channels_last", numbers(torch.float32, 1, 3, 4, 2).permute(0, 3, 1, 2)), ("scalar", torch.tensor(7.0)),
        ("empty", torch.zeros(0, 5)), ("empty_view", base[4:]),
        ("parameter", torch.nn.Parameter(numbers(torch.float32, 2))),
        ("buffer", torch.nn.Parameter(numbers(torch.float16, 2), requires_grad=False))])


def both():
    tree = views()
    tree.update(plain_types())
    return tree


def model():
    torch.manual_seed(0)
    return torch.nn.Sequential(collections.OrderedDict([
        ("conv1", torch.nn.Conv2d(3, 4, 3, bias=False)), ("bn1", torch.nn.BatchNorm2d(4)),
        ("head", torch.nn.Sequential(torch.nn.Linear(4, 5)))]))


def training():
    net = model()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    for p in net.parameters():
        p.grad = torch.ones_like(p)
    optimizer.step()
    return {"epoch": 3, "arch": "resnet50", "state_dict": net.state_dict(), "optimizer": optimizer.state_dict(),
            "args": argparse.Namespace(lr=0.1, arch="resnet50"), "history": [0.5, numbers(torch.float64, 2)],
            "pair": (numbers(torch.int64, 1), None), 7: numbers(torch.uint8, 3), "counts": collections.Counter("aab"),
            "default": collections.defaultdict(list, a=[numbers(torch.int32, 2)]), "set": {1}, "big": 2 ** 70}


# ---- the files


def save_stream(tree, path):
    """As before release 1.6."""
    if VERSION < (1, 4):
        torch.save(tree, path)
    else:
        torch.save(tree, path, _use_new_zipfile_serialization=False)


def save_zip(tree, path):
    """The default since release 1.6."""
    if VERSION < (1, 6):
        torch.save(tree, path, _use_new_zipfile_serialization=True)
    else:
        torch.save(tree, path)


def save_script(net, path):
    if VERSION < (1, 2):
        torch.jit.trace(net, torch.zeros(1, 3, 6, 6)).save(path)
    else:
        torch.jit.script(net).save(path)
    without_source(path)


def files():
    """Name, format, tree, and how it is saved."""
    yield "legacy", ".pth", "torch_legacy", both(), save_stream
    yield "legacy_training", ".pth", "torch_legacy", training(), save_stream
    yield "legacy_module", ".pth", "torch_legacy", {"model": model(), "epoch": 1}, save_stream
    if VERSION >= (1, 5):
        yield "zip", ".pth", "torch_zip", training(), save_zip
        yield "zip_types", ".pth", "torch_zip", both(), save_zip
        yield "zip_module", ".pth", "torch_zip", {"model": model(), "epoch": 1}, save_zip
    if VERSION >= (1, 4):
        yield "script", ".pt", "torchscript", torch.nn.Sequential(*list(model().children())[:2]).eval(), save_script


def main():
    with_stand_in_source()
    manifest = os.path.join(FOLDER, "manifest.json")
    with open(manifest) as source:
        entries = json.load(source, object_pairs_hook=collections.OrderedDict)
    for name, suffix, format, tree, save in files():
        file = "old_" + name + "_" + RELEASE + suffix
        save(tree, os.path.join(FOLDER, file))
        entries = [entry for entry in entries if entry["file"] != file]
        entries.append(collections.OrderedDict([("file", file), ("format", format), ("tensors", listed(tree))]))
    entries.sort(key=lambda entry: entry["file"])
    with open(manifest, "w") as target:
        target.write("[\n" + ",\n".join(json.dumps(entry) for entry in entries) + "\n]\n")


if __name__ == "__main__":
    main()
