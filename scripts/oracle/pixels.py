#!/usr/bin/env python3
"""Writes tests/golden/pixels/: what Pillow and torchvision make of synthetic images.

    python3 scripts/oracle/pixels.py        (needs Pillow >= 13, torchvision, numpy)

operations.txt has one case per line: operation, kind, width, height and channels of the input, the operation's
arguments, "=", width, height, channels and FNV-1a hash of the result. test_images.hpp draws the same inputs.
files.txt has one image file per line: its name, then the same for its pixels as RGB.
tables.txt has the 768 floats of Normalize after ToTensor, as bits.
"""
import io
import pathlib
import struct
import warnings
import zlib

import numpy as np
import torchvision.transforms.functional as F
from torchvision import transforms
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


def plain_tiff(width, height, tile=0, planes=False):
    """An uncompressed big-endian RGB file in tiles, or with one plane per channel: Pillow reads both and writes neither."""
    pixels = np.asarray(draw(0, width, height, 3))
    if tile:
        padded = np.zeros((-(-height // tile) * tile, -(-width // tile) * tile, 3), np.uint8)
        padded[:height, :width] = pixels
        blocks = [padded[y:y + tile, x:x + tile].tobytes() for y in range(0, height, tile) for x in range(0, width, tile)]
    else:
        blocks = [pixels[:, :, c].tobytes() for c in range(3)]
    places, data = [], b""
    for block in blocks:
        places.append(8 + len(data))
        data += block
    fields = [(256, 3, [width]), (257, 3, [height]), (258, 3, [8, 8, 8]), (259, 3, [1]), (262, 3, [2]), (277, 3, [3])]
    if tile:
        fields += [(322, 3, [tile]), (323, 3, [tile]), (324, 4, places), (325, 4, [len(b) for b in blocks])]
    else:
        fields += [(273, 4, places), (278, 3, [height]), (279, 4, [len(b) for b in blocks]), (284, 3, [2])]
    directory, extra = b"", b""
    extra_at = 8 + len(data) + 2 + 12 * len(fields) + 4
    for tag, kind, values in sorted(fields):
        packed = struct.pack(f">{len(values)}{'H' if kind == 3 else 'I'}", *values)
        if len(packed) > 4:
            value, extra = struct.pack(">I", extra_at + len(extra)), extra + packed
        else:
            value = packed.ljust(4, b"\0")
        directory += struct.pack(">HHI", tag, kind, len(values)) + value
    return (b"MM\0*" + struct.pack(">I", 8 + len(data)) + data + struct.pack(">H", len(fields)) + directory + b"\0" * 4 + extra)


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
        for radius in (0.0, 0.05, 0.1, 0.5, 1.0, 1.37, 2.0, 5.5, 40.0, 130.0):
            cases.add("blur", image, [radius], source.filter(ImageFilter.GaussianBlur(radius)))


def geometry(cases):
    for image in ((0, 37, 29, 3), (1, 24, 24, 3), (0, 9, 40, 1), (1, 1, 1, 3)):
        source = draw(*image)
        w, h, bands = image[1:]
        cases.add("flip_horizontal", image, [], F.hflip(source))
        cases.add("flip_vertical", image, [], F.vflip(source))
        for turns in (-1, 0, 1, 2, 3, 6):
            cases.add("rotate_quarters", image, [turns], source.rotate(90 * turns, expand=True))
        for angle in (0, 90, 180, 270, -90, 450, 1e-17, 17.3, -45, 133.7, 359.99):
            for name in ("nearest", "bilinear"):
                for fill in ((0, 0, 0), (7, 130, 255)):
                    mode = getattr(F.InterpolationMode, name.upper())
                    cases.add("rotate", image, [angle, name, *fill], F.rotate(source, angle, mode, fill=fill[:bands]))
        for window in ((0, 0, h, w), (-3, -5, 20, 20), (5, 4, 60, 50), (-50, 0, 10, 10), (h - 1, w - 1, 4, 3)):
            cases.add("crop_padded", image, window, F.crop(source, *window))
        for size in ((h, w), (10, 9), (11, 12), (24, 60), (61, 8), (62, 63), (1, 1)):
            cases.add("center_crop", image, size, F.center_crop(source, list(size)))
        for border in ((0, 0, 0, 0), (1, 2, 3, 4), (0, 60, 70, 1)):
            cases.add("pad", image, [*border, "constant", 9, 8, 7], F.pad(source, border, (9, 8, 7) if bands == 3 else 9))
            for mode in ("edge", "reflect", "symmetric"):
                cases.add("pad", image, [*border, mode, 0, 0, 0], F.pad(source, border, 0, mode))


def png(width, height, depth, color, interlaced=False, palette=None, transparency=None):
    """A PNG file with samples of a hash; Pillow itself writes few of the kinds."""
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]
    source = draw(0, width, height * samples * 2, 1)
    values = np.asarray(source).reshape(height, width, samples, 2).astype(np.int64)
    values = values[..., 0] * 256 + values[..., 1]
    values = values >> (16 - depth) if palette is None else values % palette
    if depth == 16:
        values[: height // 2] %= 500  # so that some 16-bit gray is not clipped

    def packed(rows):
        out = b""
        for row in rows:
            bits = "".join(format(int(v), f"0{depth}b") for v in row.reshape(-1))
            bits += "0" * (-len(bits) % 8)
            out += b"\0" + bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))
        return out

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    parts = [values[y::dy, x::dx] for x, y, dx, dy in passes] if interlaced else [values]
    raw = b"".join(packed(part) for part in parts if part.size)
    data = b"\x89PNG\r\n\x1a\n"
    data += chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, int(interlaced)))
    data += chunk(b"gAMA", struct.pack(">I", 31000))
    if palette is not None:
        data += chunk(b"PLTE", bytes((37 * i) % 256 for i in range(3 * palette)))
    if transparency is not None:
        data += chunk(b"tRNS", transparency)
    return data + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b"")


def files():
    def saved(kind, format, **options):
        file = io.BytesIO()
        (kind if isinstance(kind, Image.Image) else draw(*kind)).save(file, format, **options)
        return file.getvalue()

    transparent = Image.frombytes("RGBA", (16, 12), draw(0, 16, 12, 4).tobytes())
    color, ramp, gray = (0, 37, 29, 3), (1, 67, 50, 3), (1, 33, 41, 1)
    exif = Image.Exif()
    exif[0x0112] = 6  # a rotation that must be ignored
    yield "color_444.jpg", saved(ramp, "JPEG", quality=95, subsampling=0)
    yield "color_422.jpg", saved(ramp, "JPEG", quality=80, subsampling=1)
    yield "color_420.jpg", saved(ramp, "JPEG", quality=80, subsampling=2)
    yield "noise_420.jpg", saved(color, "JPEG", quality=60, subsampling=2, restart_marker_rows=1)
    yield "progressive.jpg", saved(ramp, "JPEG", quality=70, progressive=True)
    yield "gray.jpg", saved(gray, "JPEG", quality=90)
    yield "gray_progressive.jpg", saved(gray, "JPEG", quality=50, progressive=True)
    yield "cmyk.jpg", saved((1, 31, 20, 4), "JPEG", quality=85)
    yield "rgb_inside.jpg", saved(color, "JPEG", quality=85, keep_rgb=True)
    yield "rotated_by_exif.jpg", saved(ramp, "JPEG", exif=exif)
    yield "one_pixel.jpg", saved((0, 1, 1, 3), "JPEG")
    for depth, kind in ((1, 0), (2, 0), (4, 0), (8, 0), (16, 0), (8, 2), (16, 2), (8, 4), (16, 4), (8, 6), (16, 6)):
        for interlaced in (False, True):
            yield f"type{kind}_{depth}bit{'_interlaced' * interlaced}.png", png(13, 11, depth, kind, interlaced)
    for depth, count in ((1, 2), (2, 3), (4, 16), (8, 200)):
        yield f"palette_{depth}bit.png", png(13, 11, depth, 3, depth == 4, count)
    yield "palette_transparent.png", png(9, 8, 8, 3, False, 20, bytes(range(0, 200, 10)))
    yield "color_key.png", png(9, 8, 8, 2, False, None, b"\0\1\0\2\0\3")
    yield "gray_key.png", png(9, 8, 2, 0, False, None, b"\0\1")
    yield "color.bmp", saved((0, 7, 5, 3), "BMP")
    yield "gray.bmp", saved((1, 9, 5, 1), "BMP")
    yield "bilevel.bmp", saved(draw(0, 19, 6, 1).convert("1"), "BMP")
    yield "palette.bmp", saved(draw(0, 9, 6, 3).quantize(30), "BMP")
    yield "color.ppm", saved((0, 7, 5, 3), "PPM")
    yield "gray.pgm", saved((0, 7, 5, 1), "PPM")
    yield "lossy.webp", saved(ramp, "WEBP", quality=80)
    yield "lossless.webp", saved(color, "WEBP", lossless=True)
    yield "gray.webp", saved(gray, "WEBP", quality=90)
    yield "alpha.webp", saved(transparent, "WEBP", lossless=True, exact=True)
    yield "color.tif", saved((0, 17, 13, 3), "TIFF")
    yield "lzw.tif", saved((1, 67, 50, 3), "TIFF", compression="tiff_lzw")
    yield "deflate.tif", saved((1, 33, 41, 1), "TIFF", compression="tiff_adobe_deflate")
    yield "jpeg.tif", saved(ramp, "TIFF", compression="jpeg", quality=90)
    yield "alpha.tif", saved(transparent, "TIFF", compression="packbits")
    yield "bilevel.tif", saved(draw(0, 19, 6, 1).convert("1"), "TIFF", compression="group4")
    yield "palette.tif", saved(draw(0, 9, 6, 3).quantize(30), "TIFF")
    wide = Image.fromarray((np.arange(12 * 9, dtype=np.uint16) * 7).reshape(9, 12))
    yield "wide_gray.tif", saved(wide, "TIFF")
    yield "tiled.tif", plain_tiff(20, 18, tile=16)
    yield "planes.tif", plain_tiff(13, 9, planes=True)
    yield "maximum_100.ppm", b"P6\n# a comment\n5 4\n100\n" + bytes(i % 120 for i in range(60))


def tables():
    normalize = transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    ramp = Image.fromarray(np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, 2))
    values = normalize(transforms.ToTensor()(ramp))[:, 0].contiguous().numpy()
    return "\n".join(f"{bits:08x}" for bits in values.view(np.uint32).reshape(-1)) + "\n"


def main():
    warnings.simplefilter("ignore")  # Pillow's about transparency that "RGB" loses
    GOLDEN.mkdir(parents=True, exist_ok=True)
    cases = Cases()
    resizes(cases)
    colors(cases)
    blurs(cases)
    geometry(cases)
    (GOLDEN / "operations.txt").write_text("\n".join(cases.lines) + "\n")
    (GOLDEN / "tables.txt").write_text(tables())
    lines = []
    for name, data in files():
        (GOLDEN / name).write_bytes(data)
        image = Image.open(io.BytesIO(data)).convert("RGB")
        lines.append(f"{name} {image.width} {image.height} 3 {fnv(image.tobytes())}")
    (GOLDEN / "files.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
