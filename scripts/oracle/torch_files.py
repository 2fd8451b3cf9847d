#!/usr/bin/env python3
"""Makes tests/golden/torch_zip/: small files of torch.save in its several forms.

Tensor values follow rules that the C++ tests repeat: element i of a tensor holds i (modulo what the
type can hold). Run it from anywhere; it needs torch 2.11.
"""
import argparse
import collections
import pathlib
import struct
import zipfile

import torch

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "torch_zip"

DTYPES = [
    torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float16, torch.float32,
    torch.float64, torch.complex64, torch.complex128, torch.bool, torch.bfloat16, torch.uint16,
    torch.uint32, torch.uint64, torch.float8_e5m2, torch.float8_e4m3fn,
]


def counted(dtype, *shape):
    count = torch.Size(shape).numel()
    values = torch.arange(count, dtype=torch.float64)
    if dtype == torch.bool:
        return (values % 2).to(dtype).reshape(shape)
    return values.to(torch.int64).to(dtype).reshape(shape) if not dtype.is_floating_point else values.to(dtype).reshape(shape)


def dtypes():
    return {str(d).removeprefix("torch."): counted(d, 2, 3) for d in DTYPES}


def state_dict():
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(counted(torch.float32, *p.shape))
    return model.state_dict()


def views():
    base = counted(torch.float32, 4, 6)
    return {
        "base": base,
        "transposed": base.t(),
        "column": base[:, 2],
        "tail": base[2:],
        "expanded": counted(torch.float32, 1)[0].expand(3, 2),
        "channels_last": counted(torch.float32, 1, 2, 3, 4).contiguous(memory_format=torch.channels_last),
        "scalar": torch.tensor(7.0),
        "empty": torch.zeros(0, 5),
        "parameter": torch.nn.Parameter(counted(torch.float32, 2)),
    }


def values():
    return {
        "none": None, "true": True, "false": False,
        "ints": [0, 255, 256, 65535, 65536, -1, 2**31 - 1, -(2**31), 2**31, 2**63 - 1, -(2**63)],
        "floats": [0.5, -0.0, 1e300, float("inf")],
        "text": "Grüße, 世界", "empty_text": "", "bytes": bytes(range(256)),
        "tuple": (), "pair": (1, "two"), "nested": [[[]]], 7: "int key",
        "size": torch.Size([2, 3]), "ordered": collections.OrderedDict(b=1, a=2),
    }


def optimizer():
    weight = torch.nn.Parameter(counted(torch.float32, 3))
    optimizer = torch.optim.SGD([weight], lr=0.1, momentum=0.9)
    weight.sum().backward()
    optimizer.step()
    return optimizer.state_dict()


def foreign():
    return {
        "args": argparse.Namespace(arch="resnet50", lr=0.1),
        "set": {1},
        "dtype": torch.float32,
        "device": torch.device("cpu"),
        "counts": collections.Counter(a=2),
        "weight": counted(torch.float32, 2),
    }


def rewrite(source, target, change):
    """Copies a zip entry by entry; change(name, data) gives (data, compression)."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.infolist():
            data, compression = change(entry.filename, old.read(entry))
            new.writestr(zipfile.ZipInfo(entry.filename), data, compression)


def deflate(name, data):
    return data, zipfile.ZIP_DEFLATED


def to_big_endian(name, data):
    if name.endswith("/byteorder"):
        return b"big", zipfile.ZIP_STORED
    if "/data/" in name and not name.endswith("serialization_id"):
        floats = len(data) // 4
        data = struct.pack(f">{floats}f", *struct.unpack(f"<{floats}f", data))
    return data, zipfile.ZIP_STORED


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for make in (dtypes, state_dict, views, values, optimizer, foreign):
        torch.save(make(), FOLDER / f"{make.__name__}.pth")
    rewrite(FOLDER / "views.pth", FOLDER / "deflated.pth", deflate)
    rewrite(FOLDER / "views.pth", FOLDER / "big_endian.pth", to_big_endian)
    torch.save({"weight": counted(torch.float32, 2)}, FOLDER / "legacy.pth", _use_new_zipfile_serialization=False)


if __name__ == "__main__":
    main()
