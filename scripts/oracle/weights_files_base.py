"""What weights_files.py and weights_files_other.py share: the list of files to make, the manifest's lines, and what is saved."""
import argparse
import collections
import hashlib
import pathlib

import numpy
import torch

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "weights_files"

CASES = {}
EXTRA = {}  # further keys of a file's line in the manifest


def case(format, suffix):
    """Registers a function that takes the path and gives the tree that a reader must find."""
    def register(function):
        CASES[function.__name__ + suffix] = (format, function)
        return function
    return register


# ---- the manifest: names, types, shapes and bytes as Python sees them


def tensor_bytes(tensor):
    if tensor.layout != torch.strided:
        tensor = tensor.to_dense()
    if tensor.is_quantized:
        tensor = tensor.int_repr()
    tensor = tensor.detach().resolve_conj().resolve_neg().contiguous()
    return tensor.reshape(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b""


def listed(value, prefix=""):
    def inner(key):
        return f"{prefix}.{key}" if prefix else str(key)
    if isinstance(value, torch.Tensor):
        yield {"name": prefix, "dtype": str(value.dtype).removeprefix("torch."), "shape": list(value.shape),
               "sha256": hashlib.sha256(tensor_bytes(value)).hexdigest()}
    elif isinstance(value, numpy.ndarray) and value.dtype.kind in "biufc":
        data = numpy.ascontiguousarray(value).astype(value.dtype.newbyteorder("<"))
        yield {"name": prefix, "dtype": value.dtype.newbyteorder("=").name, "shape": list(value.shape),
               "sha256": hashlib.sha256(data.tobytes()).hexdigest()}
    elif isinstance(value, torch.nn.Module):
        yield from listed(dict(value.state_dict()), prefix)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from listed(item, inner(key))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from listed(item, inner(index))


# ---- what is saved


def numbers(dtype, *shape):
    count = torch.Size(shape).numel()
    if dtype == torch.bool:
        return (torch.arange(count) % 2).to(dtype).reshape(shape)
    if dtype.is_complex:
        return torch.complex(torch.arange(count, dtype=torch.float32), -torch.arange(count, dtype=torch.float32) - 1
                             ).to(dtype).reshape(shape)
    return (torch.arange(count, dtype=torch.float64) - 2).abs().to(dtype).reshape(shape)


PLAIN = [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float16, torch.bfloat16, torch.float32,
         torch.float64, torch.complex64, torch.complex128, torch.bool]
NEW = ["uint16", "uint32", "uint64", "float8_e5m2", "float8_e4m3fn", "float8_e5m2fnuz", "float8_e4m3fnuz",
       "float8_e8m0fnu", "float4_e2m1fn_x2", "complex32"]


def plain_types():
    return {str(d).removeprefix("torch."): numbers(d, 2, 3) for d in PLAIN}


def new_types():
    out = {}
    for name in NEW:
        dtype = getattr(torch, name)
        size = torch.empty(0, dtype=dtype).element_size()
        out[name] = torch.arange(6 * size, dtype=torch.uint8).view(dtype).reshape(2, 3)
    return out


def model():
    torch.manual_seed(0)
    return torch.nn.Sequential(collections.OrderedDict(
        conv1=torch.nn.Conv2d(3, 4, 3, bias=False), bn1=torch.nn.BatchNorm2d(4),
        head=torch.nn.Sequential(torch.nn.Linear(4, 5))))


def views():
    base = numbers(torch.float32, 4, 6)
    return {
        "base": base, "transposed": base.t(), "column": base[:, 2], "tail": base[2:], "same": base,
        "expanded": numbers(torch.float32, 1)[0].expand(3, 2), "every_other": base[::2, 1::3],
        "channels_last": numbers(torch.float32, 1, 2, 3, 4).contiguous(memory_format=torch.channels_last),
        "scalar": torch.tensor(7.0), "empty": torch.zeros(0, 5), "empty_view": base[4:],
        "parameter": torch.nn.Parameter(numbers(torch.float32, 2)),
        "buffer": torch.nn.Parameter(numbers(torch.float16, 2), requires_grad=False),
    }


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


def arrays():
    return {"blobs": {
        "conv1_w": numpy.arange(24, dtype=numpy.float32).reshape(2, 3, 4), "fortran": numpy.asfortranarray(
            numpy.arange(6, dtype=numpy.float64).reshape(2, 3)), "big": numpy.arange(5, dtype=">i4"),
        "half": numpy.arange(250, 256).astype(numpy.float16), "bytes": numpy.arange(256, dtype=numpy.uint8),
        "truth": numpy.array([True, False]), "zero_dim": numpy.array(3.5), "empty": numpy.zeros((0, 2), numpy.int64),
        "complex": numpy.array([1 + 2j], numpy.complex64)},
        "cfg": "MODEL: 1", "__author__": "somebody", "matching_heuristics": True, "scalar": numpy.float32(0.25),
        "count": numpy.int64(-3), "names": numpy.array(["a", "b"])}
