"""torchvision's ImageFolder and DataLoader with VISSL's SimCLR views.

loader.py time FOLDER BATCH WORKERS          one epoch after one that warms up: images, seconds, processor seconds
loader.py compare FOLDER BATCH FILE.npy N    the first N images of the first batch as our streams draw them, beside FILE
"""
import json
import pathlib
import random
import resource
import sys
import time

import numpy as np
import torch
from PIL import ImageFilter
from torch.utils.data import DataLoader
from torchvision import transforms as T
from torchvision.datasets import ImageFolder

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class GaussianBlur:
    """VISSL's ImgPilGaussianBlur."""

    def __call__(self, image):
        if random.random() < 0.5:
            image = image.filter(ImageFilter.GaussianBlur(random.uniform(0.1, 2.0)))
        return image


class TwoViews:
    def __init__(self, transform):
        self.transform = transform

    def __call__(self, image):
        return [self.transform(image), self.transform(image)]


def color_distortion():
    jitter = T.ColorJitter(0.8, 0.8, 0.8, 0.2)
    return T.Compose([T.RandomApply([jitter], p=0.8), T.RandomGrayscale(p=0.2)])


def collate(samples):
    """VISSL's simclr_collator: view by view."""
    views = torch.cat([torch.stack([views[v] for views, _ in samples]) for v in range(2)])
    return views, torch.tensor([label for _, label in samples] * 2)


def cpu_seconds():
    """Of this process and of its children that have ended."""
    return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def time_epoch(folder, batch, workers):
    views = T.Compose([T.RandomResizedCrop(224), T.RandomHorizontalFlip(), color_distortion(), GaussianBlur(), T.ToTensor(),
                       T.Normalize(MEAN, STD)])
    dataset = ImageFolder(folder, TwoViews(views))

    def epoch(workers):
        loader = DataLoader(dataset, batch, shuffle=True, drop_last=True, num_workers=workers, collate_fn=collate,
                            persistent_workers=False)
        return sum(len(labels) // 2 for _, labels in loader)

    torch.set_num_threads(1)
    epoch(workers)
    cpu, start = cpu_seconds(), time.perf_counter()
    images = epoch(workers)
    print(json.dumps({"images": images, "seconds": time.perf_counter() - start, "cpu_s": cpu_seconds() - cpu}))


def compare(folder, batch, file, count):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "oracle"))
    import transforms as oracle

    class PlacedStream(oracle.Stream):
        """The stream of one view of one image at one place in the list of transforms, in the first phase."""

        def __init__(self, index, view, position):
            super().__init__(0)
            self.view, self.index = view | position << 12, index

        def u32(self):
            if not self.words:
                c0, c1, c2, c3 = self.block_number, self.view, self.index, 0
                k0, k1 = self.key
                for _ in range(10):
                    p0, p1 = 0xD2511F53 * c0, 0xCD9E8D57 * c2
                    c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & oracle.MASK, (p0 >> 32) ^ c3 ^ k1, p0 & oracle.MASK
                    k0, k1 = (k0 + 0x9E3779B9) & oracle.MASK, (k1 + 0xBB67AE85) & oracle.MASK
                self.words = [c0, c1, c2, c3]
                self.block_number += 1
            return self.words.pop(0)

    chain = [T.RandomResizedCrop(224), T.RandomHorizontalFlip(), oracle.color_distortion(), oracle.blur(), T.ToTensor(),
             T.Normalize(MEAN, STD)]
    ours = np.load(file)
    dataset = ImageFolder(folder)
    order = torch.randperm(len(dataset), generator=torch.Generator().manual_seed(0)).tolist()
    largest = 0.0
    for row, index in enumerate(order[:count]):
        for view in range(2):
            image = dataset[index][0]
            for place, transform in enumerate(chain):
                oracle.stream = PlacedStream(index, view, place + 1)
                image = transform(image)
            largest = max(largest, float(np.abs(image.numpy() - ours[view * batch + row]).max()))
    print(json.dumps({"views_compared": 2 * count, "largest_difference": largest}))


if sys.argv[1] == "time":
    time_epoch(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
else:
    compare(sys.argv[2], int(sys.argv[3]), sys.argv[4], int(sys.argv[5]))
