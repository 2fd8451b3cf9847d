#!/usr/bin/env python3
"""Times build/bench/pixel_bench against Pillow and torchvision on the same file, in interleaved rounds on one core.

    pixels.py --bench build/bench/pixel_bench [--image FILE.jpg] [--rounds 5] [--repeats 40]

Prints one JSON line per figure: microseconds of CPU time of both (medians over the rounds) and the median ratio of
the rounds. Without --image it makes a JPEG of 500 x 375 pixels at quality 97, the median size of ImageNet.
"""
import argparse
import io
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

import numpy as np
import torch
import torchvision.transforms.functional as F
from PIL import Image, ImageEnhance, ImageFilter
from torchvision import transforms

from images import synthetic_jpeg


def pillow_figures(data):
    image = Image.open(io.BytesIO(data)).convert("RGB")
    width, height = image.size
    h, w, top, left = height * 2 // 3, width * 3 // 5, height // 8, width // 8
    mode = F.InterpolationMode

    def crop_to(size, how=mode.BILINEAR):
        return F.resized_crop(image, top, left, h, w, [size, size], how)

    def jitter(view):
        view = F.adjust_contrast(F.adjust_brightness(view, 1.2), 0.7)
        return F.adjust_hue(F.adjust_saturation(view, 1.4), 0.1)

    to_tensor = transforms.ToTensor()
    normalize = transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])

    def simclr_view(source):
        view = F.hflip(F.resized_crop(source, top, left, h, w, [224, 224], mode.BILINEAR))
        return normalize(to_tensor(jitter(view).filter(ImageFilter.GaussianBlur(1.1))))

    def decode():
        return Image.open(io.BytesIO(data)).convert("RGB")

    def two_views():
        source = decode()
        return simclr_view(source), simclr_view(source)

    view = crop_to(224)
    quarter = (width // 4, height // 4, width // 4 + width // 2, height // 4 + height // 2)
    return {
        "decode": decode,
        "decode_and_crop_quarter": lambda: decode().crop(quarter),
        "resize_all_to_224": lambda: image.resize((224, 224), Image.BILINEAR),
        "crop_to_224_bilinear": lambda: crop_to(224),
        "crop_to_224_bicubic": lambda: crop_to(224, mode.BICUBIC),
        "crop_to_96_bilinear": lambda: crop_to(96),
        "brightness": lambda: ImageEnhance.Brightness(view).enhance(1.01),
        "contrast": lambda: ImageEnhance.Contrast(view).enhance(1.01),
        "saturation": lambda: ImageEnhance.Color(view).enhance(1.01),
        "hue": lambda: F.adjust_hue(view, 0.1),
        "jitter": lambda: jitter(view),
        "gray": lambda: F.to_grayscale(view, 3),
        "blur_0.5": lambda: view.filter(ImageFilter.GaussianBlur(0.5)),
        "blur_2.0": lambda: view.filter(ImageFilter.GaussianBlur(2.0)),
        "flip": lambda: F.hflip(view),
        "rotate_30_bilinear": lambda: F.rotate(view, 30, mode.BILINEAR),
        "to_tensor_and_normalize": lambda: normalize(to_tensor(view)),
        "simclr_two_views": two_views,
    }


def median_us(work, repeats):
    times = []
    for i in range(repeats + 3):
        start = time.thread_time()
        work()
        if i >= 3:
            times.append((time.thread_time() - start) * 1e6)
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bench", required=True)
    parser.add_argument("--image", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=40)
    options = parser.parse_args()
    torch.set_num_threads(1)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    data = options.image.read_bytes() if options.image else synthetic_jpeg()
    figures = pillow_figures(data)
    ours = {name: [] for name in figures}
    theirs = {name: [] for name in figures}
    with tempfile.NamedTemporaryFile(suffix=".jpg") as file:
        file.write(data)
        file.flush()
        for _ in range(options.rounds):
            output = subprocess.run([options.bench, file.name, str(options.repeats)], check=True, capture_output=True, text=True)
            for line in output.stdout.splitlines():
                figure = json.loads(line)
                ours[figure["figure"]].append(figure["us"])
            for name, work in figures.items():
                theirs[name].append(median_us(work, options.repeats))
    for name in figures:
        us, baseline = statistics.median(ours[name]), statistics.median(theirs[name])
        ratios = [o / b for o, b in zip(ours[name], theirs[name])]
        print(json.dumps({"name": name, "unit": "us", "better": "lower", "ours": round(us, 1), "peer": round(baseline, 1),
                          "ratio": round(statistics.median(ratios), 4), "rounds": options.rounds,
                          "image_bytes": len(data)}))


if __name__ == "__main__":
    main()
