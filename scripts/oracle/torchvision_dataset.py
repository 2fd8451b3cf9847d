#!/usr/bin/env python3
"""Writes tests/golden/torchvision_dataset/: small files in the formats of the data sets, and what torchvision reads.

    python3 scripts/oracle/torchvision_dataset.py     (needs torchvision, numpy and, for SVHN, scipy)

cases.txt has one image per line: data set, split, label, width, height, channels and FNV-1a hash of its pixels; and one
class name per line for the sets that bring a file of them: "class", data set, name.
"""
import gzip
import pathlib
import pickle
import shutil
import struct

import numpy as np
import scipy.io
from torchvision import datasets
from torchvision.datasets import cifar, stl10, svhn

import pixels

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "torchvision_dataset"


class Python2Pickler(pickle._Pickler):
    """Writes str and bytes as Python 2 did, which made CIFAR's files."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_string(self, value):
        data = value.encode("ascii") if isinstance(value, str) else value
        if len(data) < 256:
            self.write(b"U" + bytes([len(data)]) + data)
        else:
            self.write(b"T" + struct.pack("<i", len(data)) + data)
        self.memoize(value)

    dispatch[str] = dispatch[bytes] = save_string


def dump(path, value, python2=True):
    with open(path, "wb") as file:
        if python2:
            Python2Pickler(file, 2).dump(value)
        else:
            pickle.dump(value, file, 4)


def noise(count, size, seed):
    return np.random.RandomState(seed).randint(0, 256, (count, size)).astype(np.uint8)


def write_idx(path, array):
    data = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


def write_mnist():
    for name, end, seed in (("MNIST", "", 0), ("FashionMNIST", ".gz", 1)):
        folder = GOLDEN / name / "raw"
        folder.mkdir(parents=True)
        for split, count in (("train", 4), ("t10k", 3)):
            write_idx(folder / f"{split}-images-idx3-ubyte{end}", noise(count, 784, seed + count).reshape(-1, 28, 28))
            write_idx(folder / f"{split}-labels-idx1-ubyte{end}", np.arange(9, 9 - count, -1, dtype=np.uint8))


def write_cifar():
    folder, binary = GOLDEN / "cifar-10-batches-py", GOLDEN / "cifar-10-batches-bin"
    folder.mkdir()
    binary.mkdir()
    names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    dump(folder / "batches.meta", {"num_cases_per_batch": 10000, "label_names": names, "num_vis": 3072})
    for k, name in enumerate(["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"]):
        data, labels = noise(1 + k % 2, 3072, 10 + k), [k + 3, 1][: 1 + k % 2]
        files = [f"{name}_{i}.png" for i in range(len(labels))]
        dump(folder / name, {"batch_label": "of " + name, "labels": labels, "data": data, "filenames": files})
        (binary / f"{name}.bin").write_bytes(b"".join(bytes([n]) + row.tobytes() for n, row in zip(labels, data)))
    folder = GOLDEN / "cifar-100-python"
    folder.mkdir()
    dump(folder / "meta", {"fine_label_names": [f"fine_{i}" for i in range(100)], "coarse_label_names": ["all"]})
    for name, seed in (("train", 20), ("test", 21)):
        dump(folder / name, {"filenames": ["a.png", "b.png"], "batch_label": name, "fine_labels": [99, seed],
                             "coarse_labels": [1, 2], "data": noise(2, 3072, seed)}, python2=name == "train")


def write_stl10():
    folder = GOLDEN / "stl10_binary"
    folder.mkdir()
    (folder / "class_names.txt").write_text("airplane\nbird\ncar\ncat\ndeer\ndog\nhorse\nmonkey\nship\ntruck\n")
    for name, count in (("train", 2), ("test", 1)):
        images = [np.asarray(pixels.draw(1, 96, 96, 3)) + 7 * i for i in range(count)]
        columns = [image.astype(np.uint8).transpose(2, 1, 0) for image in images]
        (folder / f"{name}_X.bin").write_bytes(b"".join(column.tobytes() for column in columns))
        (folder / f"{name}_y.bin").write_bytes(bytes([10, 1][:count]))


def write_svhn():
    for name, seed, packed in (("train", 30, True), ("test", 31, False)):
        images = noise(2, 3072, seed).reshape(2, 32, 32, 3).transpose(1, 2, 3, 0)
        labels = np.array([[10], [7]], dtype=np.uint8 if packed else np.float64)
        scipy.io.savemat(GOLDEN / f"{name}_32x32.mat", {"X": images, "y": labels}, do_compression=packed)


def main():
    shutil.rmtree(GOLDEN, ignore_errors=True)
    GOLDEN.mkdir(parents=True)
    write_mnist()
    write_cifar()
    write_stl10()
    write_svhn()
    for module in (cifar, stl10, svhn):  # our files are not the original ones
        module.check_integrity = lambda *arguments: True
    sets = {
        "MNIST": lambda train: datasets.MNIST(GOLDEN, train),
        "FashionMNIST": lambda train: datasets.FashionMNIST(GOLDEN, train),
        "CIFAR10": lambda train: datasets.CIFAR10(GOLDEN, train),
        "CIFAR100": lambda train: datasets.CIFAR100(GOLDEN, train),
        "STL10": lambda train: datasets.STL10(GOLDEN, "train" if train else "test"),
        "SVHN": lambda train: datasets.SVHN(GOLDEN, "train" if train else "test"),
    }
    # torchvision reads FashionMNIST from unpacked files only.
    raw = GOLDEN / "FashionMNIST" / "raw"
    unpacked = []
    for file in list(raw.glob("*.gz")):
        unpacked.append(file.with_suffix(""))
        unpacked[-1].write_bytes(gzip.decompress(file.read_bytes()))
    lines = []
    for name, open_set in sets.items():
        for train in (True, False):
            data = open_set(train)
            for image, label in data:
                size = f"{image.width} {image.height} {len(image.getbands())}"
                lines.append(f"{name} {'train' if train else 'test'} {label} {size} {pixels.fnv(image.tobytes())}")
        if name in ("CIFAR10", "CIFAR100", "STL10"):
            lines += [f"class {name} {c}" for c in data.classes]
    for file in unpacked:
        file.unlink()
    (GOLDEN / "cases.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
