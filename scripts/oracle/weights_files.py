#!/usr/bin/env python3
"""Makes tests/golden/weights_files/: one small file of every format, pickle protocol, element type and layout,
and manifest.json with the SHA-256 of every tensor as Python sees it. It needs torch 2.11, numpy and safetensors;
with --only-prefix P it makes the files whose names begin with P and keeps the other entries of the manifest, so
that other releases of torch can add theirs (see OLD_RELEASES).
"""
import argparse
import collections
import hashlib
import io
import json
import pathlib
import pickle
import struct
import sys
import tarfile
import zipfile

import numpy
import torch

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "weights_files"
OLD_RELEASES = hasattr(torch, "__version__") and int(torch.__version__.split(".")[0]) < 2

CASES = {}


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


# ---- torch's zip format


@case("torch_zip", ".pth")
def zip_plain_types(path):
    torch.save(plain_types(), path)
    return plain_types()


@case("torch_zip", ".pth")
def zip_new_types(path):
    torch.save(new_types(), path)
    return new_types()


@case("torch_zip", ".pth")
def zip_views(path):
    torch.save(views(), path)
    return views()


@case("torch_zip", ".pth")
def zip_training(path):
    tree = training()
    torch.save(tree, path)
    return tree


@case("torch_zip", ".pth")
def zip_marked_views(path):
    z = numbers(torch.complex64, 2, 3)
    tree = {"conj": z.conj(), "t_conj": z.t().conj(), "neg": torch._neg_view(numbers(torch.float32, 3)),
            "both": torch._neg_view(numbers(torch.complex128, 2).conj())}
    torch.save(tree, path)
    return tree


@case("torch_zip", ".pth")
def zip_quantized(path):
    x = torch.tensor([[-1.0, 0.0, 0.5], [1.0, 1.5, 2.0]])
    tree = {"qint8": torch.quantize_per_tensor(x, 0.1, 3, torch.qint8),
            "quint8": torch.quantize_per_tensor(x, 0.05, 100, torch.quint8),
            "qint32": torch.quantize_per_tensor(x, 0.001, 0, torch.qint32),
            "channels": torch.quantize_per_channel(x, torch.tensor([0.1, 0.2]), torch.tensor([1, -2]), 0, torch.qint8)}
    torch.save(tree, path)
    dequantized = {key: value.dequantize() for key, value in tree.items()}
    EXTRA[path.name] = {"dequantized": list(listed(dequantized))}
    return tree


@case("torch_zip", ".pth")
def zip_sparse(path):
    dense = torch.tensor([[0.0, 1, 0, 0], [2, 0, 0, 3], [0, 0, 0, 0], [0, 4, 5, 0]])
    tree = {"coo": dense.to_sparse(), "hybrid": dense.reshape(4, 2, 2).to_sparse(1),
            "twice": torch.sparse_coo_tensor([[0, 0, 2]], [1.0, 2.0, 4.0], (3,)),
            "csr": dense.to_sparse_csr(), "csc": dense.to_sparse_csc(), "bsr": dense.to_sparse_bsr((2, 2)),
            "bsc": dense.to_sparse_bsc((2, 2))}
    torch.save(tree, path)
    return tree


@case("torch_zip", ".pth")
def zip_numpy_inside(path):
    tree = {"weights": arrays()["blobs"], "t": numbers(torch.float32, 2)}
    torch.save(tree, path)
    return tree


@case("torch_zip", ".pth")
def zip_module(path):
    net = model()
    torch.save({"model": net, "epoch": 1}, path)
    return {"model": net}


class Net(torch.nn.Module):
    """Saved whole: with a buffer that is not saved, no bias, and one module under two names."""
    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.stem = torch.nn.Linear(2, 3, bias=False)
        self.again = self.stem
        self.blocks = torch.nn.ModuleList([torch.nn.BatchNorm1d(3), torch.nn.Identity()])
        self.scale = torch.nn.Parameter(torch.ones(3))
        self.register_buffer("kept", torch.arange(3))
        self.register_buffer("dropped", torch.arange(4), persistent=False)
        self.owner = [self.blocks]


@case("torch_zip", ".pth")
def zip_module_parallel(path):
    net = torch.nn.DataParallel(Net())
    torch.save(net, path)
    return net


for _protocol in (3, 4, 5):
    @case("torch_zip", f"_{_protocol}.pth")
    def zip_protocol(path, protocol=_protocol):
        torch.save(training(), path, pickle_protocol=protocol)
        return training()


@case("torch_zip", ".pth")
def zip_big_endian(path):
    """A file of this machine with all storages swapped, as a big-endian machine writes it."""
    tree = {k: v for k, v in plain_types().items()}
    buffer = io.BytesIO()
    torch.save(tree, buffer)
    sizes = [v.element_size() // (2 if v.is_complex() else 1) for v in tree.values()]
    with zipfile.ZipFile(buffer) as source, zipfile.ZipFile(path, "w") as target:
        for info in source.infolist():
            data = source.read(info)
            stem = info.filename.split("/", 1)[1]
            if stem.startswith("data/"):
                data = swapped(data, sizes[int(stem[5:])])
            if stem == "byteorder":
                data = b"big"
            target.writestr(info.filename, data)
    return tree


@case("torch_zip", ".pth")
def zip_deflated(path):
    buffer = io.BytesIO()
    torch.save(views(), buffer)
    with zipfile.ZipFile(buffer) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for info in source.infolist():
            target.writestr(info.filename, source.read(info))
    return views()


def swapped(data, size):
    return b"".join(data[i:i + size][::-1] for i in range(0, len(data), size))


# ---- TorchScript


def without_source(path):
    """Leaves of a program's text the declarations of its classes: the rest is torch's own source."""
    with zipfile.ZipFile(path) as source:
        entries = [(info.filename, source.read(info)) for info in source.infolist()]
    with zipfile.ZipFile(path, "w") as target:
        for name, data in entries:
            if name.endswith(".debug_pkl"):
                continue
            if name.endswith(".py"):
                lines = data.decode().splitlines()
                kept = [line for line in lines if line.lstrip().startswith(("class ", "__parameters__", "__buffers__"))]
                data = "\n".join(kept).encode()
            target.writestr(zipfile.ZipInfo(name), data)


@case("torchscript", ".pt")
def script_traced(path):
    net = model().eval()
    torch.jit.trace(torch.nn.Sequential(net.conv1, net.bn1), torch.zeros(1, 3, 4, 4)).save(str(path))
    without_source(path)
    return {"0": net.conv1, "1": net.bn1}


@case("torchscript", ".pt")
def script_scripted(path):
    net = torch.nn.Sequential(collections.OrderedDict(conv=torch.nn.Conv2d(3, 2, 1), pool=torch.nn.AvgPool2d(2)))
    torch.jit.script(net).save(str(path))
    tree = torch.jit.load(str(path))
    without_source(path)
    return tree


class Counter(torch.nn.Module):
    """Has a tensor that is neither parameter nor buffer, so that state_dict() leaves it out."""
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.arange(3.0))
        self.weight = torch.nn.Parameter(torch.ones(2))
        self.state = torch.zeros(4)

    def forward(self, x):
        self.state = x
        return x + self.mean.sum() + self.weight.sum()


@case("torchscript", ".pt")
def script_attribute(path):
    torch.jit.script(torch.nn.Sequential(Counter())).save(str(path))
    tree = torch.jit.load(str(path))
    without_source(path)
    return tree


# ---- the stream before release 1.6


@case("torch_legacy", ".pth")
def legacy_training(path):
    torch.save(training(), path, _use_new_zipfile_serialization=False)
    return training()


@case("torch_legacy", ".pth")
def legacy_views(path):
    torch.save(views(), path, _use_new_zipfile_serialization=False)
    return views()


@case("torch_legacy", ".pth")
def legacy_types(path):
    tree = {**plain_types(), **new_types()}
    torch.save(tree, path, _use_new_zipfile_serialization=False)
    return tree


@case("torch_legacy", ".pth")
def legacy_module(path):
    """Saves a class together with its source text; another text stands here for torch's own."""
    net = model()
    torch.serialization.get_source_lines_and_file = lambda obj: (["source text of the class\n"], 1, "module.py")
    torch.save(net, path, _use_new_zipfile_serialization=False)
    return net


for _protocol in (3, 4):
    @case("torch_legacy", f"_{_protocol}.pth")
    def legacy_protocol(path, protocol=_protocol):
        torch.save(training(), path, _use_new_zipfile_serialization=False, pickle_protocol=protocol)
        return training()


@case("torch_legacy", ".pth")
def legacy_big_endian(path):
    """As a big-endian machine writes it, with a storage that is a window into another."""
    floats, ints = numpy.arange(8, dtype=numpy.float32), numpy.arange(3, dtype=numpy.int64)

    class Storage:
        def __init__(self, kind, key, numel, view=None):
            self.id = ("storage", kind, key, "cpu", numel, view)

    class Tensor:
        def __init__(self, storage, offset, size, stride):
            self.args = (storage, offset, size, stride, False, collections.OrderedDict())

        def __reduce__(self):
            return torch._utils._rebuild_tensor_v2, self.args

    class Pickler(pickle.Pickler):
        def persistent_id(self, obj):
            return obj.id if isinstance(obj, Storage) else None

    def put(obj):
        buffer = io.BytesIO()
        Pickler(buffer, protocol=2).dump(obj)
        return buffer.getvalue()

    window = Storage(torch.FloatStorage, "11", 8, ("12", 2, 4))
    tree = collections.OrderedDict(
        whole=Tensor(Storage(torch.FloatStorage, "11", 8), 0, (2, 4), (4, 1)), window=Tensor(window, 1, (3,), (1,)),
        ints=Tensor(Storage(torch.LongStorage, "13", 3), 0, (3,), (1,)))
    out = put(0x1950A86A20F9469CFC6C) + put(1001)
    out += put({"protocol_version": 1001, "little_endian": False, "type_sizes": {"short": 2, "int": 4, "long": 8}})
    out += put(tree) + put(["11", "13"])
    out += struct.pack(">q", 8) + floats.astype(">f4").tobytes() + struct.pack(">q", 3) + ints.astype(">i8").tobytes()
    path.write_bytes(out)
    return {"whole": floats.reshape(2, 4), "window": floats[3:6], "ints": ints}


@case("torch_legacy", ".pth.zip")
def legacy_zipped(path):
    buffer = io.BytesIO()
    torch.save(views(), buffer, _use_new_zipfile_serialization=False)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("weights.pth", buffer.getvalue())
    return views()


# ---- the tar format of release 0.1.10 and before


@case("torch_tar", ".pth.tar")
def tar_state_dict(path):
    """Written here as that release did: members sys_info, pickle, tensors, storages."""
    floats, longs = numpy.arange(12, dtype="<f4"), numpy.arange(4, dtype="<i8")

    class Named:
        def __init__(self, key):
            self.key = key

    class Pickler(pickle.Pickler):
        def persistent_id(self, obj):
            return obj.key if isinstance(obj, Named) else None

    def put(obj):
        buffer = io.BytesIO()
        Pickler(buffer, protocol=2).dump(obj)
        return buffer.getvalue()

    def tensor(key, storage, kind, size, stride, offset):
        head = put((key, storage, kind)) + struct.pack("<i4x", len(size))
        return head + struct.pack(f"<{2 * len(size) + 1}q", *size, *stride, offset)

    storages = put(2) + put(("100", "cpu", torch.FloatStorage)) + struct.pack("<q", 12) + floats.tobytes()
    storages += put(("200", "cuda:0", torch.LongStorage)) + struct.pack("<q", 4) + longs.tobytes()
    storages += put([("101", "100", 4, 6)])
    tensors = put(3) + tensor("1", "100", torch.FloatTensor, (3, 4), (1, 3), 0)
    tensors += tensor("2", "101", torch.FloatTensor, (2, 2), (2, 1), 2)
    tensors += tensor("3", "200", torch.LongTensor, (4,), (1,), 0)
    tree = collections.OrderedDict([("layer.weight", Named("1")), ("layer.window", Named("2")), ("steps", Named("3"))])
    members = {"sys_info": put({"protocol_version": 1000, "little_endian": True, "type_sizes": {}}),
               "pickle": put({"state_dict": tree, "epoch": 90}), "tensors": tensors, "storages": storages}
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as target:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            target.addfile(info, io.BytesIO(data))
    return {"state_dict": {"layer.weight": floats.reshape(4, 3).T, "layer.window": floats[6:10].reshape(2, 2),
                           "steps": longs}}


# ---- numpy's files and pickles


for _protocol in range(6):
    @case("pickle", f"_{_protocol}.pkl")
    def numpy_protocol(path, protocol=_protocol):
        path.write_bytes(pickle.dumps(arrays(), protocol=protocol))
        return arrays()


for _protocol in (2, 4):
    @case("pickle", f"_{_protocol}.pkl")
    def pickled_tensors(path, protocol=_protocol):
        """Tensors through pickle.dump rather than torch.save."""
        tree = {"model": {**views(), "half": numbers(torch.bfloat16, 3)}, "storage": numbers(torch.int32, 4)}
        path.write_bytes(pickle.dumps(tree, protocol=protocol))
        return tree


class Python2Pickler(pickle._Pickler):
    """Writes text and bytes as Python 2's str."""
    dispatch = dict(pickle._Pickler.dispatch)

    def save_text(self, obj):
        data = obj if isinstance(obj, bytes) else obj.encode("latin1")
        if not self.bin:
            self.write(b"S" + repr(data)[1:].encode() + b"\n")
        elif len(data) < 256:
            self.write(b"U" + bytes([len(data)]) + data)
        else:
            self.write(b"T" + struct.pack("<i", len(data)) + data)
        self.memoize(obj)

    dispatch[str] = save_text
    dispatch[bytes] = save_text


for _protocol in (0, 1, 2):
    @case("pickle", f"_{_protocol}.pkl")
    def numpy_python2(path, protocol=_protocol):
        buffer = io.BytesIO()
        Python2Pickler(buffer, protocol=protocol, fix_imports=True).dump(arrays())
        path.write_bytes(buffer.getvalue().replace(b"numpy._core.multiarray", b"numpy.core.multiarray"))
        return arrays()


@case("npy", ".npy")
def numpy_array(path):
    array = numpy.arange(6, dtype=">f4").reshape(2, 3)
    numpy.save(path, array)
    return array


@case("npy", ".npy")
def numpy_dict(path):
    numpy.save(path, {"data": arrays()["blobs"]}, allow_pickle=True)
    return {"data": arrays()["blobs"]}


def named_arrays():
    return {"Transformer/encoderblock_0/kernel": numpy.arange(6, dtype=numpy.float32).reshape(2, 3),
            "big": numpy.arange(3, dtype=">f8"), "fortran": numpy.asfortranarray(numpy.ones((2, 3), numpy.float16)),
            "empty": numpy.zeros((0, 3), numpy.int32), "text": numpy.array(["a"]), "scalar": numpy.array(2)}


@case("npz", ".npz")
def numpy_stored(path):
    numpy.savez(path, **named_arrays())
    return named_arrays()


@case("npz", ".npz")
def numpy_compressed(path):
    numpy.savez_compressed(path, **named_arrays())
    return named_arrays()


# ---- safetensors and indexed sets of files


@case("safetensors", ".safetensors")
def safetensors_types(path):
    from safetensors.torch import save_file
    tree = {**plain_types(), **new_types()}
    for name in ("complex128", "complex32", "float8_e8m0fnu", "float4_e2m1fn_x2"):
        del tree[name]
    tree["scalar"], tree["empty"] = torch.tensor(3.0), torch.zeros(0, 3)
    save_file(tree, path, metadata={"format": "pt", "note": "a \"quoted\" Gr\u00fc\u00dfe"})
    from safetensors.torch import load_file
    return load_file(path)


@case("safetensors_index", ".index.json")
def shards_model_safetensors(path):
    from safetensors.torch import save_file
    parts = [{"a.weight": numbers(torch.float32, 2, 3)}, {"b.weight": numbers(torch.int64, 4), "b.bias": numbers(
        torch.float16, 2)}]
    index = {}
    for i, part in enumerate(parts):
        name = f"shards_part-{i + 1:05}-of-00002.safetensors"
        save_file(part, path.parent / name)
        index.update({key: name for key in part})
    path.write_text(json.dumps({"metadata": {"total_size": 60}, "weight_map": index}))
    return {**parts[0], **parts[1]}


@case("torch_index", ".index.json")
def shards_pytorch_model_bin(path):
    parts = [{"a.weight": numbers(torch.float32, 2, 3)}, {"b.weight": numbers(torch.int64, 4)}]
    index = {}
    for i, part in enumerate(parts):
        name = f"shards_part-{i + 1:05}-of-00002.bin"
        torch.save(part, path.parent / name)
        index.update({key: name for key in part})
    path.write_text(json.dumps({"metadata": {}, "weight_map": index}))
    return {**parts[0], **parts[1]}


# ---- VISSL's checkpoints of several files


def flat_shards(named, world):
    """The parameters in one flat vector, cut into equal parts of which the last is padded; and each part's facts."""
    flat = torch.cat([tensor.reshape(-1) for tensor in named.values()])
    part = -(-flat.numel() // world)
    shards = []
    for rank in range(world):
        data = flat[rank * part:(rank + 1) * part]
        padding = part - data.numel()
        facts = {"names": list(named), "shapes": [tensor.shape for tensor in named.values()],
                 "numels": [tensor.numel() for tensor in named.values()], "padding": padding}
        shards.append((torch.cat([data, torch.zeros(padding)]), facts))
    return shards


def vissl_model():
    outer = {"conv.weight": numbers(torch.float32, 2, 3), "conv.bias": numbers(torch.float32, 2)}
    inner = {"_fpw_module.weight": numbers(torch.float32, 3, 3) + 1}
    head = {"clf.weight": numbers(torch.float32, 5)}
    return outer, inner, head


@case("vissl_shard_list", ".torch")
def vissl_shards(path):
    outer, inner, head = vissl_model()
    flats = [flat_shards(group, 2) for group in (outer, inner, head)]
    for rank in range(2):
        (a, a_facts), (b, b_facts), (c, c_facts) = (shards[rank] for shards in flats)
        trunk = {"flat_param_0": a, "_fpw_module.block.flat_param_0": b, "_fpw_module.bn.running_mean": numbers(
            torch.float32, 3)}
        meta = {"param_metadata": [
            {"fsdp_path": "", "params": {"flat_param_0": a_facts}, "shared_param_info": [], "is_sharded": True},
            {"fsdp_path": "_fpw_module.block", "params": {"flat_param_0": b_facts}, "is_sharded": True,
             "shared_param_info": [("_fpw_module.weight", "_fpw_module.tied")]}],
            "buffer_names": ["_fpw_module.bn.running_mean"]}
        heads = [{"flat_param_0": c}, {"plain": numbers(torch.int64, 2)}]
        head_meta = [{"param_metadata": [{"fsdp_path": "", "params": {"flat_param_0": c_facts},
                                          "shared_param_info": []}], "buffer_names": []}, None]
        torch.save({"type": "shard", "classy_state_dict": {"base_model": {
            "model": {"trunk": trunk, "heads": heads}, "meta": {"trunk": meta, "heads": head_meta}}}},
            path.parent / f"vissl_shards_shard{rank}.torch")
    torch.save({"type": "shard_list", "shards": [f"/gone/run/vissl_shards_shard{rank}.torch" for rank in range(2)]},
               path)
    trunk = {**outer, "block.weight": inner["_fpw_module.weight"], "block.tied": inner["_fpw_module.weight"],
             "bn.running_mean": numbers(torch.float32, 3)}
    return {"classy_state_dict": {"base_model": {"model": {"trunk": trunk, "heads": {
        "0.clf.weight": head["clf.weight"], "1.plain": numbers(torch.int64, 2)}}}}}


@case("vissl_slice_list", ".torch")
def vissl_slices(path):
    outer, _, head = vissl_model()
    folder = path.parent / "vissl_slices_layers"
    folder.mkdir(exist_ok=True)

    def sliced(named):
        paths = {}
        for name, tensor in named.items():
            file = hashlib.sha1(name.encode()).hexdigest() + ".torch"
            torch.save({"type": "slice", "weight": tensor}, folder / file)
            paths["_fsdp_wrapped_module." + name] = f"/gone/run/vissl_slices_layers/{file}"
        return paths

    torch.save({"type": "slice_list", "classy_state_dict": {"base_model": {"model": {
        "trunk": sliced(outer), "heads": sliced({"0.clf.weight": head["clf.weight"]})}}}}, path)
    return {"classy_state_dict": {"base_model": {"model": {"trunk": outer, "heads": {
        "0.clf.weight": head["clf.weight"]}}}}}


# ---- releases before 2.0: run this script with --only-prefix old_ under their Python


if OLD_RELEASES:
    NEW = []
    _release = "".join(torch.__version__.split("+")[0].split("."))

    @case("torch_zip", f"_{_release}.pth")
    def old_zip(path):
        torch.save(training(), path)
        return training()

    @case("torch_legacy", f"_{_release}.pth")
    def old_legacy(path):
        torch.save({**views(), **plain_types()}, path, _use_new_zipfile_serialization=False)
        return {**views(), **plain_types()}

    @case("torch_zip", f"_types_{_release}.pth")
    def old_zip(path):
        torch.save({**views(), **plain_types()}, path)
        return {**views(), **plain_types()}

    @case("torchscript", f"_{_release}.pt")
    def old_script(path):
        net = model().eval()
        torch.jit.script(net).save(str(path))
        without_source(path)
        return net


EXTRA = {}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only-prefix", default="")
    prefix = parser.parse_args().only_prefix
    FOLDER.mkdir(parents=True, exist_ok=True)
    manifest_path = FOLDER / "manifest.json"
    known = json.loads(manifest_path.read_text()) if manifest_path.exists() else []
    kept = [entry for entry in known if entry["file"] not in CASES or not entry["file"].startswith(prefix)]
    for name, (format, function) in CASES.items():
        if not name.startswith(prefix):
            continue
        tree = function(FOLDER / name)
        kept.append({"file": name, "format": format, "tensors": list(listed(tree)), **EXTRA.get(name, {})})
    kept.sort(key=lambda entry: entry["file"])
    lines = ",\n".join(json.dumps(entry) for entry in kept)
    manifest_path.write_text(f"[\n{lines}\n]\n")
    total = sum(path.stat().st_size for path in FOLDER.rglob("*"))
    print(f"{len(kept)} files, {total} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
