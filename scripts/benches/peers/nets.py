"""The networks, losses and optimizer of the benches in ordinary torch and torchvision."""
import torch
from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck

BLOCKS = {18: (BasicBlock, (2, 2, 2, 2)), 50: (Bottleneck, (3, 4, 6, 3))}


class ResNet(nn.Module):
    """torchvision's ResNet with the stem and width of our trunk; parameters are called as there."""

    def __init__(self, depth, width=64, small_stem=False):
        super().__init__()
        block, counts = BLOCKS[depth]
        if small_stem:
            self.conv1, self.maxpool = nn.Conv2d(3, width, 3, 2, 1, bias=False), nn.Identity()
        else:
            self.conv1, self.maxpool = nn.Conv2d(3, width, 7, 2, 3, bias=False), nn.MaxPool2d(3, 2, 1)
        self.bn1, self.relu = nn.BatchNorm2d(width), nn.ReLU(inplace=True)
        planes = width
        for stage, count in enumerate(counts):
            out, blocks = width * 2**stage, []
            for i in range(count):
                stride = 2 if stage > 0 and i == 0 else 1
                down = None
                if stride != 1 or planes != out * block.expansion:
                    down = nn.Sequential(nn.Conv2d(planes, out * block.expansion, 1, stride, bias=False),
                                         nn.BatchNorm2d(out * block.expansion))
                blocks.append(block(planes, out, stride, down))
                planes = out * block.expansion
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.avgpool, self.features = nn.AdaptiveAvgPool2d(1), planes

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.avgpool(x).flatten(1)


class Net(nn.Module):
    def __init__(self, name):
        super().__init__()
        if name == "demo":
            self.trunk = ResNet(18, 16, small_stem=True)
            self.head = nn.Sequential(nn.Linear(128, 128), nn.BatchNorm1d(128), nn.ReLU(inplace=True), nn.Linear(128, 64))
        else:
            self.trunk = ResNet(int(name.removeprefix("resnet")))
            self.head = nn.Linear(self.trunk.features, 1000)

    def forward(self, x):
        return self.head(self.trunk(x))


def info_nce(embeddings, _, temperature=0.5):
    z = nn.functional.normalize(embeddings.float(), dim=1)
    logits = z @ z.t() / temperature
    row = torch.arange(len(z))
    logits = logits.scatter(1, row[:, None], -torch.inf)
    return nn.functional.cross_entropy(logits, row.roll(len(z) // 2))


def loss_of(name):
    return info_nce if name == "demo" else nn.functional.cross_entropy


def sgd(net, lr):
    """VISSL's default groups: no weight decay for the trunk's batch norm."""
    plain = [p for n, p in net.named_parameters() if n.startswith("trunk") and p.ndim == 1]
    decayed = [p for n, p in net.named_parameters() if not (n.startswith("trunk") and p.ndim == 1)]
    return torch.optim.SGD([{"params": decayed, "weight_decay": 1e-4}, {"params": plain, "weight_decay": 0.0}], lr=lr,
                           momentum=0.9)


def train_step(net, loss_fn, optimizer, images, target, bf16):
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        output = net(images)
        loss = loss_fn(output.float(), target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()
