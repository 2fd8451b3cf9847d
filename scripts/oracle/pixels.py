#!/usr/bin/env python3
"""Writes tests/golden/pixels/: what Pillow and torchvision make of synthetic images.

    python3 scripts/oracle/pixels.py        (needs Pillow >= 13, torchvision, numpy)

operations.txt has one case per line: operation, kind, width, height and channels of the input, the operation's
arguments, "=", width, height, channels and FNV-1a hash of the result. test_images.hpp draws the same inputs.
"""
import pathlib

import numpy as np
import torchvision.transforms.functional as F
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "pixels"
FILTERS = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "box": 4, "hamming": 5}


def draw(kind, width, height, channels):
    """Noise (kind 0), ramps with a little noise (1), few dark levels (2); equal to draw() in test_images.hpp."""
    y, x, c = np.meshgrid(*(np.arange(n, dtype=np.uint32) for n in (height, width, channels)), indexing="ij")
    h = x * np.uint32(0x9E3779B1) + y * np.uint32(0x85EBCA77) + c * np.uint32(0xC2B2AE3D)
    h ^= h >> np.uint32(15)
    h *= np.uint32(0x2C1B3C6D)
    h ^= h >> np.uint32(12)
    noise = h >> np.uint32(24)
    if kind == 1:
        noise = x * (c + 2) + y * (3 - c % 3) + (noise >> np.uint32(4))
    elif kind == 2:
        noise = 60 + 20 * c + (noise >> np.uint32(5))
    pixels = (noise & np.uint32(255)).astype(np.uint8)
    if channels == 4:
        return Image.frombytes("CMYK", (width, height), pixels.tobytes())
    return Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels)


def fnv(data):
    h = 0xCBF29CE484222325
    for byte in data:
        h = ((h ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{h:016x}"


class Cases:
    def __init__(self):
        self.lines = []

    def add(self, operation, image, arguments, result):
        kind, width, height, channels = image
        words = [operation, kind, width, height, channels, *arguments, "="]
        words += [*result.size, len(result.getbands()), fnv(result.tobytes())]
        self.lines.append(" ".join(map(str, words)))


def resizes(cases):
    windows = [
        ((0, 61, 47, 3), 23, 31), ((1, 61, 47, 3), 90, 100), ((0, 40, 90, 3), 20, 33), ((1, 33, 20, 1), 64, 7),
        ((0, 37, 29, 4), 17, 70), ((1, 3, 400, 3), 9, 5), ((2, 300, 2, 1), 1, 11), ((0, 1, 1, 3), 5, 4),
        ((0, 70, 65, 3), 65, 20), ((0, 70, 65, 3), 20, 70), ((1, 130, 131, 3), 3, 2), ((1, 50, 61, 1), 20, 30),
        ((1, 50, 60, 1), 20, 30),
    ]
    for name, number in FILTERS.items():
        for image, height, width in windows:
            w, h = image[1:3]
            source = draw(*image)
            boxes = [(0.0, 0.0, float(w), float(h))]
            if w > 10 and h > 10:
                boxes.append((3.0, 2.0, w - 4.0, h - 1.0))
                boxes.append(tuple(float(np.float32(v)) for v in (0.37, 1.21, w - 2.6, h - 0.9)))
            for box in boxes:
                cases.add("resize", image, [name, *box, height, width], source.resize((width, height), number, box))
    for name, window in (("bilinear", (5, 7, 40, 50, 24, 24)), ("bicubic", (0, 3, 19, 33, 32, 32)),
                         ("bilinear", (11, 0, 24, 24, 24, 24)), ("nearest", (2, 2, 13, 40, 20, 9))):
        image = (0, 73, 59, 3)
        mode = getattr(F.InterpolationMode, name.upper())
        top, left, h, w, out_h, out_w = window
        cases.add("resized_crop", image, [name, *window],
                  F.resized_crop(draw(*image), top, left, h, w, [out_h, out_w], mode))


def colors(cases):
    images = [(0, 37, 29, 3), (1, 64, 5, 3), (2, 40, 31, 3), (1, 2, 2, 3), (0, 21, 18, 1), (2, 16, 3, 1)]
    enhancers = {"brightness": ImageEnhance.Brightness, "contrast": ImageEnhance.Contrast,
                 "saturation": ImageEnhance.Color, "sharpness": ImageEnhance.Sharpness}
    for image in images:
        source = draw(*image)
        for name, enhancer in enhancers.items():
            for factor in (0.0, 1.0, 0.2, 0.77316, 1.8, 3.1, -0.5):
                cases.add(name, image, [factor], enhancer(source).enhance(factor))
        for factor in (0.0, 0.2, -0.2, 0.013, 0.5, -0.5):
            cases.add("hue", image, [factor], F.adjust_hue(source, factor))
        for bits in (1, 4, 7, 8):
            cases.add("posterize", image, [bits], ImageOps.posterize(source, bits))
        for threshold in (0, 128, 256, 77.5):
            cases.add("solarize", image, [threshold], ImageOps.solarize(source, threshold))
        cases.add("invert", image, [0], ImageOps.invert(source))
        cases.add("autocontrast", image, [0], ImageOps.autocontrast(source))
        cases.add("equalize", image, [0], ImageOps.equalize(source))
        cases.add("gray", image, [0], source.convert("L"))
        if image[3] == 3:
            cases.add("gray3", image, [0], F.to_grayscale(source, 3))


def blurs(cases):
    for image in ((0, 37, 29, 3), (1, 64, 70, 3), (0, 5, 90, 1), (1, 1, 1, 3), (0, 19, 4, 4), (0, 2, 33, 3)):
        source = draw(*image)
        for radius in (0.0, 0.05, 0.1, 0.5, 1.0, 1.37, 2.0, 5.5, 40.0):
            cases.add("blur", image, [radius], source.filter(ImageFilter.GaussianBlur(radius)))


def main():
    GOLDEN.mkdir(parents=True, exist_ok=True)
    cases = Cases()
    resizes(cases)
    colors(cases)
    blurs(cases)
    (GOLDEN / "operations.txt").write_text("\n".join(cases.lines) + "\n")


if __name__ == "__main__":
    main()
