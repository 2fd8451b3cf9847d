#!/usr/bin/env python3
"""Compares `vissl-host inspect FILE --json --sha256` with what Python reads from the same file, tensor by tensor:
scripts/oracle/check_inspect.py HOST FILE... The files are run through Python's own loaders: give it none that you do
not trust. Real files, such as packages ship inside their wheels, show what made-up ones cannot.
"""
import collections
import json
import subprocess
import sys
import zipfile

import numpy
import torch

from weights_files import listed


def python_tree(path):
    start = open(path, "rb").read(16)
    if start[:2] == b"PK":
        names = zipfile.ZipFile(path).namelist()
        if any(name.endswith("/constants.pkl") for name in names):
            return torch.jit.load(path, map_location="cpu")
        if all(name.endswith(".npy") for name in names):
            return dict(numpy.load(path, allow_pickle=True))
    if start[8:9] == b"{":
        from safetensors.torch import load_file
        return load_file(path)
    if start.startswith(b"\x93NUMPY"):
        array = numpy.load(path, allow_pickle=True)
        return array.item() if array.dtype == object else array
    return torch.load(path, map_location="cpu", weights_only=False)


def main():
    host, *paths = sys.argv[1:]
    failed = 0
    for path in paths:
        answer = subprocess.run([host, "inspect", path, "--json", "--sha256"], capture_output=True, text=True)
        if answer.returncode != 0:
            print(f"{path}: {answer.stderr.strip()}")
            failed += 1
            continue
        found = json.loads(answer.stdout)
        ours = collections.OrderedDict((t["name"], t) for t in found["tensors"])
        theirs = collections.OrderedDict((t["name"], t) for t in listed(python_tree(path)))
        bad = [name for name in {**theirs, **ours} if ours.get(name) != theirs.get(name)]
        print(f"{path}: {found['format']}, {len(ours)} tensors, {len(bad)} differ {bad[:5]}")
        failed += bool(bad)
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
