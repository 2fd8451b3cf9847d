"""Golden features for extract_features: a narrow ResNet-18 with the initial weights of torch.manual_seed(3), in evaluation mode, on the
images of tests/test_plugins/run/wave_images.cpp.

    python scripts/oracle/extract_features.py      # writes tests/golden/components/extract_features.json
"""

import torch
from torch.nn.functional import adaptive_avg_pool2d

from component_data import numbers, write
from resnet import build, features

IMAGES, SIZE = 7, 16
i, y, x, c = torch.meshgrid(torch.arange(IMAGES), torch.arange(SIZE), torch.arange(SIZE), torch.arange(3), indexing="ij")
images = ((37 * i + 11 * y + 5 * x + 71 * c) % 256).permute(0, 3, 1, 2).float() / 255
torch.manual_seed(3)
trunk = build(depth=18, width=0.0625, stem=(3, 1, False)).eval()
with torch.no_grad():
    found = features(trunk, images)
pooled = {"res4": adaptive_avg_pool2d(found["res4"], (2, 2)).flatten(1), "res5avg": found["res5avg"].flatten(1)}
write("extract_features.json", {name: numbers(value) for name, value in pooled.items()})
