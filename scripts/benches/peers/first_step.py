"""usage: first_step.py BATCH CORES: what the demo's config does up to its first step, in torch and torchvision."""
import gzip
import pathlib
import sys

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms as T

from nets import Net, loss_of, sgd, train_step

FOLDER = pathlib.Path("/usr/share/datasets/fashion-mnist")
VIEWS = T.Compose([T.RandomResizedCrop(28, scale=(0.3, 1.0)), T.RandomHorizontalFlip(), T.ColorJitter(0.8, 0.8), T.ToTensor()])


class Fashion(Dataset):
    def __init__(self):
        with gzip.open(FOLDER / "train-images-idx3-ubyte.gz") as file:
            self.images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        image = Image.fromarray(self.images[index]).convert("RGB")
        return VIEWS(image), VIEWS(image), index


batch, cores = int(sys.argv[1]), int(sys.argv[2])
torch.set_num_threads(cores)
torch.manual_seed(0)
net = Net("demo")
optimizer, loss_fn = sgd(net, 0.02), loss_of("demo")
for first, second, index in DataLoader(Fashion(), batch, shuffle=True, drop_last=True, num_workers=cores):
    loss = train_step(net, loss_fn, optimizer, torch.cat([first, second]), index, bf16=False)
    print(f"step 1/234 loss {loss:.3f}", flush=True)
    break
