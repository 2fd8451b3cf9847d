"""Golden data for the built-in data sources and collators.

usage: python scripts/oracle/data_plugins.py        (writes tests/golden/data/)

 - image_folder.txt   file lists and what torchvision's ImageFolder makes of them
 - collators.inc      batches that VISSL's collators give, written with torch
 - synthetic.txt      hashes of VISSL's random synthetic images, made with numpy and Pillow
"""
import os
import pathlib
import tempfile

import numpy as np
import torch
from PIL import Image, ImageFilter
from torchvision.datasets import ImageFolder

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "data"

FILES = [
    "b/2.jpg", "b/10.jpg", "b/1.JPEG", "b/note.txt", "b/sub/0.png", "b/sub-a/9.png", "b/sub/z/5.bmp",
    "b/sub.d/7.ppm", "a b/x.webp", "a b/X.webp", "a b/.hidden.png", "Zebra/1.tiff", "Zebra/0.TIF",
    "\u00e9t\u00e9/\u00fc.pgm", "\u00e9t\u00e9/u.pgm", "c/jpg", "c/a.jpg.bak", "c/a.jpg",
    "\U0001d4b3/1.png", "\uff21/1.png", "loose.jpg",
]


def image_folder():
    with tempfile.TemporaryDirectory() as root:
        for name in FILES:
            path = os.path.join(root, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            open(path, "wb").close()
        data = ImageFolder(root)
        lines = ["file\t" + name for name in FILES]
        lines += ["class\t" + name for name in data.classes]
        lines += [f"image\t{label}\t{os.path.relpath(path, root)}" for path, label in data.samples]
    (OUT / "image_folder.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def hash_of(data):
    h = 0xCBF29CE484222325
    for byte in data:
        h = ((h ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return h


def synthetic_image(index, size):
    rng = np.random.RandomState(index)
    noise = size // 16
    radius = rng.randint(noise // 2, noise * 2)
    pixels = (255 * rng.rand(noise, noise, 3)).astype(np.uint8)
    image = Image.fromarray(pixels).resize((size, size))
    return image.filter(ImageFilter.GaussianBlur(radius=radius))


def synthetic():
    lines = []
    for index, size in [(0, 32), (1, 32), (2, 32), (3, 50), (49999, 64), (7, 16)]:
        lines.append(f"{index} {size} {hash_of(synthetic_image(index, size).tobytes()):016x}")
    (OUT / "synthetic.txt").write_text("\n".join(lines) + "\n")


def samples(count, views, sizes):
    """Sample i, view p: pixels i * 64 + p * 8 + channel + place / 128; exact in float32."""
    items = []
    for i in range(count):
        item = {"data": [], "label": [], "data_valid": [], "data_idx": []}
        for p in range(views):
            h, w = sizes[p]
            place = torch.arange(h * w, dtype=torch.float32).reshape(1, h, w) / 128
            channel = torch.arange(3, dtype=torch.float32).reshape(3, 1, 1)
            item["data"].append(i * 64 + p * 8 + channel + place)
            item["label"].append(1000 + i * 10 + p)
            item["data_valid"].append(-1 if (i + p) % 3 == 0 else 1)
            item["data_idx"].append(50 + i)
        items.append(item)
    return items


def simclr_collator(batch):
    views = len(batch[0]["data"])
    out = {}
    for key in ("data", "label", "data_valid", "data_idx"):
        rows = [torch.as_tensor(item[key][p]) for p in range(views) for item in batch]
        out[key] = [torch.stack(rows)]
    return out


def multicrop_collator(batch):
    views = len(batch[0]["data"])
    out = simclr_collator([{k: ([torch.zeros(1)] * views if k == "data" else v) for k, v in item.items()}
                           for item in batch])
    out["data"] = [torch.stack([item["data"][p] for item in batch]) for p in range(views)]
    return out


def default_collate(batch):
    return torch.utils.data.default_collate(batch)


def collators():
    text = "// Made by scripts/oracle/data_plugins.py: every element of every field, in order.\n"
    cases = [
        ("simclr_collator", simclr_collator, 3, 2, [(2, 3)] * 2),
        ("multicrop_collator", multicrop_collator, 2, 3, [(3, 2), (2, 2), (1, 2)]),
        ("default_collate", default_collate, 3, 2, [(2, 3)] * 2),
    ]
    for name, collate, count, views, sizes in cases:
        out = collate(samples(count, views, sizes))
        for key in ("data", "label", "data_valid", "data_idx"):
            for e, tensor in enumerate(out[key]):
                shape = ", ".join(str(n) for n in tensor.shape)
                values = ", ".join(repr(v) for v in tensor.flatten().tolist())
                text += f'{{"{name}", "{key}", {e}, {{{shape}}}, {{{values}}}}},\n'
    (OUT / "collators.inc").write_text(text)


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    image_folder()
    synthetic()
    collators()
