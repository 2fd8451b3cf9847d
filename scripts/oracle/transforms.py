#!/usr/bin/env python3
"""Writes tests/golden/transforms/cases.txt: what torchvision's transforms make of synthetic images.

    python3 scripts/oracle/transforms.py        (needs Pillow >= 13, torchvision, numpy)

torchvision's own classes run, but their random numbers come from the streams of sdk/include/vissl/rng.h, so that order
of draws, boxes and pixels are compared together. VISSL's transforms are composed of torchvision's and Pillow's here.

One case per line, fields separated by tabs: component, its parameters as TOML with ";" between lines, the image (kind
width height channels as in pixels.py, or the name of a file in tests/golden/pixels), the seed of the stream, then for
each resulting view "width height channels hash" and, when the transform writes labels, "label n".
"""
import math
import pathlib
import types
import warnings
from fractions import Fraction

import numpy as np
import torch
import torchvision.transforms.functional as F
from PIL import Image, ImageFilter, ImageOps
from torchvision import transforms as T
from torchvision.transforms import transforms as torchvision_module

import pixels

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "transforms"
MASK = 0xFFFFFFFF


class Stream:
    """vissl_rng_init_sample(seed, phase 0, index 0, occurrence 0, view, position 0) and its draws."""

    def __init__(self, seed, view=0):
        self.key = (seed & MASK, seed >> 32)
        self.view, self.block_number, self.words = view, 0, []

    def u32(self):
        if not self.words:
            c0, c1, c2, c3 = self.block_number, self.view, 0, 0
            k0, k1 = self.key
            for _ in range(10):
                p0, p1 = 0xD2511F53 * c0, 0xCD9E8D57 * c2
                c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & MASK, (p0 >> 32) ^ c3 ^ k1, p0 & MASK
                k0, k1 = (k0 + 0x9E3779B9) & MASK, (k1 + 0xBB67AE85) & MASK
            self.words = [c0, c1, c2, c3]
            self.block_number += 1
        return self.words.pop(0)

    def uniform(self, low=0.0, high=1.0):
        high_word = self.u32()
        unit = ((high_word << 32 | self.u32()) >> 11) / 2**53
        return float(Fraction(high - low) * Fraction(unit) + Fraction(low))  # one rounding, as fma

    def randint(self, low, high):
        span = high - 1 - low
        if span == 0:
            return low
        mask = 2 ** span.bit_length() - 1
        while True:
            value = self.u32() & mask
            if value <= span:
                return low + value

    def permutation(self, n):
        order = list(range(n))
        for i in range(n - 1, 0, -1):
            j = self.randint(0, i + 1)
            order[i], order[j] = order[j], order[i]
        return order


stream = Stream(0)


class Number(float):
    def item(self):
        return float(self)


class Integer(int):
    def item(self):
        return int(self)


class Torch(types.ModuleType):
    """Stands for the module torch inside torchvision.transforms.transforms: draws in double precision from `stream`."""

    def __getattr__(self, name):
        return getattr(torch, name)

    def empty(self, count):
        return types.SimpleNamespace(uniform_=lambda low, high: Number(stream.uniform(low, high)))

    def rand(self, count):
        return stream.uniform()

    def randint(self, low, high, size):
        return Integer(stream.randint(low, high))

    def randperm(self, n):
        return stream.permutation(n)

    def tensor(self, values):
        return values

    def log(self, values):
        return [math.log(v) for v in values]

    def exp(self, value):
        return Number(math.exp(value))


torchvision_module.torch = Torch("torch")


# VISSL's transforms: image in, image or list of images out.
def jitter(strength):
    return T.ColorJitter(0.8 * strength, 0.8 * strength, 0.8 * strength, 0.2 * strength)


def color_distortion(strength=1.0):
    return T.Compose([T.RandomApply([jitter(strength)], p=0.8), T.RandomGrayscale(p=0.2)])


def blur(p=0.5, radius_min=0.1, radius_max=2.0):
    def apply(image):
        if stream.uniform() < p:
            image = image.filter(ImageFilter.GaussianBlur(stream.uniform(radius_min, radius_max)))
        return image

    return apply


def solarize(p=0.66):
    return lambda image: ImageOps.solarize(image, stream.randint(0, 257)) if stream.uniform() < p else image


def photometric(p=0.66):
    def apply(image):
        if stream.uniform() < p:
            image = ImageOps.posterize(image, stream.randint(4, 9))
            image = F.adjust_sharpness(image, stream.uniform(0.1, 1.9))
            image = ImageOps.autocontrast(ImageOps.solarize(image, stream.randint(0, 257)))
        return image

    return apply


def to_rgb(size=(), box=(0, 0)):
    def apply(image):
        side = (size, size) if isinstance(size, int) else tuple(size) or image.size
        canvas = Image.new("RGB", side)
        canvas.paste(image, tuple(box))
        return canvas

    return apply


def larger_side(size=1024):
    def apply(image):
        sides = [round(side * size / max(image.size)) for side in image.size]
        return image.resize(sides, Image.BILINEAR)

    return apply


def raw_tensor():
    return lambda image: torch.from_numpy(np.atleast_3d(np.asarray(image)).copy()).permute(2, 0, 1).float()


def rotate(num_angles=4):
    def apply(image, seed):
        restart(seed, 0)
        label = stream.randint(0, num_angles)
        return [F.rotate(image, label * 360 / num_angles)], label

    return apply


def multi_crop(total_num_crops, num_crops, size_crops, crop_scales):
    def apply(image, seed):
        crops = []
        for count, size, scale in zip(num_crops, size_crops, crop_scales):
            for _ in range(count):
                restart(seed, len(crops))
                crops.append(T.RandomResizedCrop(size, scale=scale)(image))
        return crops, None

    return apply


def replicate(num_times=2):
    return lambda image, seed: ([image] * num_times, None)


def restart(seed, view):
    global stream
    stream = Stream(seed, view)


def modes(options):
    if isinstance(options.get("interpolation"), (str, int)):
        value = options["interpolation"]
        mode = {0: "nearest", 2: "bilinear", 3: "bicubic"}.get(value, value)
        options = {**options, "interpolation": F.InterpolationMode(mode)}
    return options


def toml(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(toml, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else repr(value)


def normalize(mean, std):
    return T.Compose([T.ToTensor(), T.Normalize(mean, std)])


RAMP, NOISE, TALL, GRAY, SQUARE = (1, 67, 50, 3), (0, 37, 29, 3), (0, 20, 71, 3), (1, 33, 41, 1), (0, 24, 24, 3)
THIN = (0, 200, 3, 3)
JPEG = "color_420.jpg"

# component, constructor, parameters, images, number of seeds
CASES = [
    *(("Resize", T.Resize, {"size": s}, (RAMP, NOISE, TALL, GRAY, JPEG), 1) for s in (20, 29, 64, [31, 12])),
    ("Resize", T.Resize, {"size": 20, "interpolation": "bicubic"}, (RAMP,), 1),
    ("Resize", T.Resize, {"size": 20, "interpolation": 0}, (RAMP,), 1),
    ("Resize", T.Resize, {"size": 20, "max_size": 31}, (RAMP, TALL), 1),
    *(("CenterCrop", T.CenterCrop, {"size": s}, (RAMP, NOISE, GRAY, JPEG), 1)
      for s in (10, 11, 24, 60, [1, 66], [70, 9], [51, 68])),
    ("RandomCrop", T.RandomCrop, {"size": 17}, (RAMP, NOISE, GRAY, JPEG), 4),
    ("RandomCrop", T.RandomCrop, {"size": [50, 67]}, (RAMP,), 1),
    ("RandomCrop", T.RandomCrop, {"size": 32, "padding": 4}, (NOISE, SQUARE, RAMP), 4),
    ("RandomCrop", T.RandomCrop, {"size": 26, "padding": 4, "padding_mode": "reflect"}, (NOISE, SQUARE, GRAY), 4),
    ("RandomCrop", T.RandomCrop, {"size": [40, 60], "pad_if_needed": True}, (NOISE, TALL, GRAY), 4),
    ("RandomCrop", T.RandomCrop, {"size": [40, 60], "padding": [1, 2], "pad_if_needed": True, "fill": [9, 99, 199]},
     (NOISE, TALL), 4),
    ("RandomResizedCrop", T.RandomResizedCrop, {"size": 24}, (RAMP, NOISE, TALL, THIN, GRAY, JPEG), 8),
    ("RandomResizedCrop", T.RandomResizedCrop, {"size": [20, 30], "scale": [0.3, 1.0]}, (RAMP, JPEG), 4),
    ("RandomResizedCrop", T.RandomResizedCrop, {"size": 9, "scale": [0.9, 1.0], "interpolation": 3}, (RAMP, TALL), 4),
    ("RandomResizedCrop", T.RandomResizedCrop, {"size": 9, "scale": [1.5, 2.0], "ratio": [2.0, 3.0]}, (RAMP, TALL), 1),
    ("RandomHorizontalFlip", T.RandomHorizontalFlip, {}, (NOISE, GRAY), 4),
    ("RandomHorizontalFlip", T.RandomHorizontalFlip, {"p": 1.0}, (NOISE, JPEG), 1),
    ("RandomVerticalFlip", T.RandomVerticalFlip, {}, (NOISE, GRAY), 4),
    ("RandomGrayscale", T.RandomGrayscale, {"p": 0.4}, (NOISE, GRAY), 4),
    ("ColorJitter", T.ColorJitter, {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "hue": 0.4}, (RAMP, NOISE), 12),
    ("ColorJitter", T.ColorJitter, {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "hue": 0.2}, (GRAY,), 4),
    ("ColorJitter", T.ColorJitter, {"brightness": [1.2, 1.2], "contrast": 2.0}, (NOISE,), 4),
    ("ColorJitter", T.ColorJitter, {"hue": [-0.1, 0.3], "saturation": [0.0, 3.0]}, (NOISE,), 4),
    ("ColorJitter", T.ColorJitter, {}, (NOISE,), 1),
    ("Pad", T.Pad, {"padding": [1, 2, 3, 4], "fill": 7}, (NOISE, GRAY), 1),
    ("Pad", T.Pad, {"padding": [5, 0], "fill": [1, 2, 3]}, (NOISE,), 1),
    *(("Pad", T.Pad, {"padding": [30, 2, 70, 1], "padding_mode": mode}, (NOISE, GRAY, (0, 1, 5, 3)), 1)
      for mode in ("edge", "reflect", "symmetric")),
    ("Pad", T.Pad, {"padding": 3}, (NOISE,), 1),
    ("ToTensor", T.ToTensor, {}, (NOISE, GRAY, JPEG), 1),
    ("ImgToTensor", T.ToTensor, {}, (NOISE,), 1),
    ("Normalize", normalize, {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}, (NOISE, JPEG), 1),
    ("Normalize", normalize, {"mean": [0.2860], "std": [0.3530]}, (GRAY, NOISE), 1),
    ("ImgPilToRawTensor", raw_tensor, {}, (NOISE, GRAY), 1),
    ("ImgReplicatePil", replicate, {"num_times": 3}, (NOISE, JPEG), 1),
    ("ImgPilColorDistortion", color_distortion, {"strength": 0.5}, (RAMP, NOISE), 8),
    ("ImgPilColorDistortion", color_distortion, {}, (NOISE, GRAY, JPEG), 8),
    ("ImgPilRandomColorJitter", lambda strength, p: T.RandomApply([jitter(strength)], p=p),
     {"strength": 2.5, "p": 0.5}, (NOISE,), 8),
    ("ImgPilGaussianBlur", blur, {}, (RAMP, GRAY), 6),
    ("ImgPilGaussianBlur", blur, {"p": 1.0, "radius_min": 0.0, "radius_max": 5.0}, (NOISE,), 4),
    ("ImgPilRandomSolarize", solarize, {}, (NOISE, GRAY), 6),
    ("ImgPilRandomPhotometric", photometric, {}, (RAMP, GRAY, (2, 40, 31, 3)), 8),
    ("ImgPilToMultiCrop", multi_crop,
     {"total_num_crops": 6, "num_crops": [2, 4], "size_crops": [32, 12], "crop_scales": [[0.14, 1.0], [0.05, 0.14]]},
     (RAMP, TALL, GRAY, JPEG), 3),
    ("ImgPilToMultiCrop", multi_crop,
     {"total_num_crops": 1, "num_crops": [1], "size_crops": [20], "crop_scales": [[0.3, 0.9]]}, (JPEG,), 4),
    ("ImgRotatePil", rotate, {}, (SQUARE, NOISE, GRAY), 6),
    ("ImgRotatePil", rotate, {"num_angles": 7}, (NOISE,), 4),
    ("MNISTImgPil2RGB", to_rgb, {}, (GRAY, NOISE), 1),
    ("MNISTImgPil2RGB", to_rgb, {"size": 48, "box": [7, 3]}, (GRAY,), 1),
    ("MNISTImgPil2RGB", to_rgb, {"size": [40, 20], "box": [-3, 2]}, (GRAY, NOISE), 1),
    ("ImgPilResizeLargerSide", larger_side, {"size": 31}, (RAMP, TALL, GRAY), 1),
    ("ImgPilResizeLargerSide", larger_side, {"size": 100}, (NOISE,), 1),
]
WHOLE_SAMPLE = {"ImgReplicatePil", "ImgPilToMultiCrop", "ImgRotatePil"}


def view(result):
    if isinstance(result, torch.Tensor):
        channels, height, width = result.shape
        return f"{width} {height} {channels} {pixels.fnv(result.contiguous().numpy().tobytes())}"
    return f"{result.width} {result.height} {len(result.getbands())} {pixels.fnv(result.tobytes())}"


def main():
    warnings.simplefilter("ignore")
    lines = []
    for name, make, options, images, seeds in CASES:
        transform = make(**modes(options))
        for image in images:
            if isinstance(image, str):
                source = Image.open(pixels.GOLDEN / image).convert("RGB")
            else:
                source = pixels.draw(*image)
            for seed in range(seeds):
                restart(seed, 0)
                label = None
                if name in WHOLE_SAMPLE:
                    results, label = transform(source, seed)
                else:
                    results = [transform(source)]
                fields = [name, ";".join(f"{key} = {toml(v)}" for key, v in options.items())]
                fields += [image if isinstance(image, str) else " ".join(map(str, image)), str(seed)]
                fields += [view(result) for result in results]
                fields += [] if label is None else [f"label {label}"]
                lines.append("\t".join(fields))
    GOLDEN.mkdir(parents=True, exist_ok=True)
    (GOLDEN / "cases.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
