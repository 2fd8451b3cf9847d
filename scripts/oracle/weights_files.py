#!/usr/bin/env python3
"""Makes tests/golden/weights_files/: one small file of every format, pickle protocol, element type and layout,
and manifest.json with the SHA-256 of every tensor as Python sees it. It needs torch 2.11, numpy and safetensors;
with --only-prefix P it makes the files whose names begin with P. Other entries of the manifest stay: older releases
of torch add theirs (weights_files_old.py). Cases are here (torch's zip, TorchScript) and in weights_files_other.py.
"""
import argparse
import collections
import io
import json
import sys
import zipfile

import torch

import weights_files_other  # registers its cases
from weights_files_base import CASES, EXTRA, FOLDER, arrays, case, listed, model, new_types, numbers, plain_types, \
    training, views
from weights_files_source import without_source


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
