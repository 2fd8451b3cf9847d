"""Golden ResNets: torchvision's, rebuilt as VISSL rebuilds them, under torch.manual_seed(3).

    python scripts/oracle/resnet.py      # writes tests/golden/components/resnet.json

Per network: names and shapes of the state dict, a CRC-32 of every initial value, and the features of wave([2, 3, 64, 64], 0) / 2 in
training mode (batch statistics) and then in evaluation mode; of 101 and 152 layers in evaluation mode alone. A stem for small images replaces conv1 and the pool.
"""

import zlib

import torch
from torch import nn
from torchvision.models import resnet

from component_data import wave, write

BLOCKS = {
    18: (resnet.BasicBlock, (2, 2, 2, 2)),
    34: (resnet.BasicBlock, (3, 4, 6, 3)),
    50: (resnet.Bottleneck, (3, 4, 6, 3)),
    101: (resnet.Bottleneck, (3, 4, 23, 3)),
    152: (resnet.Bottleneck, (3, 8, 36, 3)),
}


def build(depth, width=1, groups=1, width_per_group=64, layer4_stride=2, norm=nn.BatchNorm2d, stem=(7, 2, True)):
    block, layers = BLOCKS[depth]
    net = resnet.ResNet(block, layers, groups=groups, width_per_group=width_per_group, norm_layer=norm)
    inner = int(64 * width)
    net.inplanes = inner
    kernel, stride, pool = stem
    parts = [("conv1", nn.Conv2d(3, inner, kernel, stride, kernel // 2, bias=False)), ("bn1", norm(inner)), ("conv1_relu", nn.ReLU())]
    parts.append(("maxpool", nn.MaxPool2d(3, 2, 1) if pool else nn.Identity()))
    for i in range(4):
        stride = 1 if i == 0 else layer4_stride if i == 3 else 2
        parts.append((f"layer{i + 1}", net._make_layer(block, inner << i, layers[i], stride=stride)))
    parts += [("avgpool", nn.AdaptiveAvgPool2d((1, 1))), ("flatten", nn.Flatten(1))]
    model = nn.Module()
    model._feature_blocks = nn.ModuleDict(parts)
    return model


FEATURES = {"conv1": "conv1_relu", "res1": "maxpool", "res2": "layer1", "res3": "layer2", "res4": "layer3", "res5": "layer4", "res5avg": "avgpool", "flatten": "flatten"}


def features(model, x):
    by_block = {}
    for name, block in model._feature_blocks.items():
        x = block(x)
        by_block[name] = x.detach().double()
    return {name: by_block[block] for name, block in FEATURES.items()}


def summary(t):
    flat = t.reshape(-1)
    picks = torch.linspace(0, flat.numel() - 1, 24).long()
    return {"shape": list(t.shape), "mean": flat.mean().item(), "square": flat.pow(2).mean().item(), "values": flat[picks].tolist()}


def group_norm(channels):
    return nn.GroupNorm(8, channels)


def layer_norm(channels):  # VISSL's LayerNorm2d: one group
    return nn.GroupNorm(1, channels)


CASES = {
    "18": dict(depth=18),
    "34": dict(depth=34),
    "50": dict(depth=50),
    "narrow": dict(depth=18, width=0.25, stem=(3, 1, False)),
    "small_stem": dict(depth=18, width=0.25, stem=(3, 2, False)),
    "resnext": dict(depth=50, groups=8, width_per_group=8),
    "dense_end": dict(depth=50, width=0.25, layer4_stride=1),
    "group_norm": dict(depth=18, width=0.25, norm=group_norm),
    "layer_norm": dict(depth=18, width=0.25, norm=layer_norm),
    "wide": dict(depth=18, width=2),
}

def main():
    cases = {}
    for name, options in CASES.items():
        torch.manual_seed(3)
        model = build(**options)
        state = model.state_dict()
        entry = {"names": zlib.crc32("\n".join(f"{k} {list(v.shape)}" for k, v in state.items()).encode()), "count": len(state)}
        entry["crc"] = zlib.crc32(b"".join(v.numpy().tobytes() for v in state.values()))
        entry["parameters"] = sum(p.numel() for p in model.parameters())
        x = wave([2, 3, 64, 64], 0.0) / 2
        model.train()
        entry["train"] = {k: summary(v) for k, v in features(model, x).items()}
        model.eval()
        entry["eval"] = {k: summary(v) for k, v in features(model, x).items()}
        cases[name] = entry
    for depth in (101, 152):
        torch.manual_seed(3)
        model = build(depth)
        state = model.state_dict()
        cases[str(depth)] = {
            "names": zlib.crc32("\n".join(f"{k} {list(v.shape)}" for k, v in state.items()).encode()),
            "count": len(state),
            "crc": zlib.crc32(b"".join(v.numpy().tobytes() for v in state.values())),
            "parameters": sum(p.numel() for p in model.parameters()),
        }
        model.eval()
        with torch.no_grad():
            x = wave([2, 3, 64, 64], 0.0) / 2
            cases[str(depth)]["eval"] = {k: summary(v) for k, v in features(model, x).items()}
    write("resnet.json", cases)


if __name__ == "__main__":
    main()
