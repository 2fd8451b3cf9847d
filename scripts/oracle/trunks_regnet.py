"""Golden RegNets: ClassyVision's networks restated with torch's modules.

    python scripts/oracle/trunks_regnet.py      # writes tests/golden/components/regnet.json

What is stored: trunks_golden.py. Where timm has the same network, its features and gradients are compared here first, under
the name map below. `counts` holds the numbers of parameters of known networks, compared with timm's.
"""

import math
import re

import torch
from timm.models.regnet import RegNet, RegNetCfg
from torch import nn

from component_data import write
from trunks_golden import case, counts, fill, noise, run, same


class Activation(nn.Module):
    def __init__(self, name):
        super().__init__()
        self.name = name

    def forward(self, x):
        return nn.functional.silu(x) if self.name == "silu" else nn.functional.relu(x)


class Excitation(nn.Module):
    def __init__(self, width, reduced, act):
        super().__init__()
        self.excitation = nn.Sequential(nn.Conv2d(width, reduced, 1), act, nn.Conv2d(reduced, width, 1), nn.Sigmoid())

    def forward(self, x):
        return x * self.excitation(x.mean((2, 3), keepdim=True))


def conv(i, o, k, stride=1, groups=1):
    return nn.Conv2d(i, o, k, stride, k // 2, groups=groups, bias=False)


class RegBlock(nn.Module):
    def __init__(self, i, o, stride, group, bottleneck, d):
        super().__init__()
        kind, act = d["block_type"], Activation(d["activation"])
        self.linear = kind == "res_bottleneck_linear_block"
        self.vanilla = kind == "vanilla_block"
        self.changes = i != o or stride != 1
        norm = lambda w: nn.BatchNorm2d(w, d["bn_epsilon"], d["bn_momentum"])
        if self.vanilla:
            self.a = nn.Sequential(conv(i, o, 3, stride), norm(o), act)
            self.b = nn.Sequential(conv(o, o, 3), norm(o), act)
            return
        if self.changes and not self.linear:
            self.proj, self.bn = conv(i, o, 1, stride), norm(o)
        self.f = nn.Sequential()
        if kind == "res_basic_block":
            self.f.a = nn.Sequential(conv(i, o, 3, stride), norm(o), act, conv(o, o, 3))
        else:
            inner = round(o * bottleneck)
            self.f.a = nn.Sequential(conv(i, inner, 1), norm(inner), act)
            self.f.b = nn.Sequential(conv(inner, inner, 3, stride, inner // group), norm(inner), act)
            if d["use_se"]:
                self.f.se = Excitation(inner, round(d["se_ratio"] * i), act)
            self.f.c = conv(inner, o, 1)
        self.f.final_bn = norm(o)
        self.act = act

    def forward(self, x):
        if self.vanilla:
            return self.b(self.a(x))
        y = self.f(x)
        if self.linear:
            return y if self.changes else x + y
        return self.act((self.bn(self.proj(x)) if self.changes else x) + y)


REGNET_DEFAULTS = {
    "stem_type": "simple_stem_in",
    "stem_width": 32,
    "block_type": "res_bottleneck_block",
    "activation": "relu",
    "use_se": True,
    "se_ratio": 0.25,
    "bn_epsilon": 1e-5,
    "bn_momentum": 0.1,
    "bottleneck_multiplier": 1.0,
}


def stages_of(d):
    """Per stage: width, depth, group width, bottleneck, stride."""
    if "depths" in d:
        return list(zip(d["widths"], d["depths"], d["group_widths"], d["bottleneck_multipliers"], d["strides"]))
    b, group = d["bottleneck_multiplier"], d["group_width"]
    widths = []
    for i in range(d["depth"]):
        k = round(math.log((d["w_0"] + i * d["w_a"]) / d["w_0"]) / math.log(d["w_m"]))
        widths.append(8 * round(d["w_0"] * d["w_m"] ** k / 8))
    stages = []
    for width in sorted(set(widths)):
        g = min(group, int(width * b))
        stages.append((int(round(int(width * b) / g) * g / b), widths.count(width), g, b, 2))
    return stages


class Reg(nn.Module):
    def __init__(self, **options):
        super().__init__()
        d = {**REGNET_DEFAULTS, **options}
        w, act = d["stem_width"], Activation(d["activation"])
        kernel, stride = {"simple_stem_in": (3, 2), "res_stem_in": (7, 2), "res_stem_cifar": (3, 1)}[d["stem_type"]]
        stem = nn.Module()
        stem.stem = nn.Sequential(conv(3, w, kernel, stride), nn.BatchNorm2d(w, d["bn_epsilon"], d["bn_momentum"]), act)
        if d["stem_type"] == "res_stem_in":
            stem.stem.append(nn.MaxPool2d(3, 2, 1))
        self._feature_blocks = nn.ModuleDict({"conv1": stem})
        for s, (width, depth, group, bottleneck, stride) in enumerate(stages_of(d), 1):
            stage = nn.Sequential()
            for b in range(depth):
                stage.add_module(f"block{s}-{b}", RegBlock(w, width, stride if b == 0 else 1, group, bottleneck, d))
                w = width
            self._feature_blocks[f"res{s + 1}"] = stage
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                fan_out = module.kernel_size[0] * module.kernel_size[1] * module.out_channels
                module.weight.data.normal_(0.0, math.sqrt(2.0 / fan_out))

    def forward(self, x, names, mask=None):
        found = {}
        for name, block in self._feature_blocks.items():
            x = found[name] = block.stem(x) if name == "conv1" else block(x)
        found["avgpool"] = nn.functional.adaptive_avg_pool2d(x, 1)
        found["flatten"] = found["avgpool"].flatten(1)
        return {name: found[name] for name in names}


REGNET_NAMES = [  # timm -> VISSL
    (r"^stem\.conv", r"_feature_blocks.conv1.stem.0"),
    (r"^stem\.bn", r"_feature_blocks.conv1.stem.1"),
    (r"downsample\.conv", "proj"),
    (r"downsample\.bn", "bn"),
    (r"conv1\.conv", "f.a.0"),
    (r"conv1\.bn", "f.a.1"),
    (r"conv2\.conv", "f.b.0"),
    (r"conv2\.bn", "f.b.1"),
    (r"se\.fc1", "f.se.excitation.0"),
    (r"se\.fc2", "f.se.excitation.2"),
    (r"conv3\.conv", "f.c"),
    (r"conv3\.bn", "f.final_bn"),
]


def vissl_name(name):
    name = re.sub(r"^s(\d+)\.b(\d+)", lambda m: f"_feature_blocks.res{int(m[1]) + 1}.block{m[1]}-{int(m[2]) - 1}", name)
    for pattern, ours in REGNET_NAMES:
        name = re.sub(pattern, ours, name)
    return name


def against_timm_regnet(options):
    def check(model, image, names, training):
        cfg = RegNetCfg(
            depth=options["depth"],
            w0=options["w_0"],
            wa=options["w_a"],
            wm=options["w_m"],
            group_size=options["group_width"],
            stem_width=options["stem_width"],
            se_ratio=0.25,
        )
        peer = RegNet(cfg, num_classes=0).double()
        state = model.state_dict()
        peer.load_state_dict({k: state[vissl_name(k)] for k in peer.state_dict()})
        peer.train(training)
        x = image.clone().requires_grad_()
        theirs = peer.forward_features(x)
        last = names[-3]
        (theirs * noise(theirs.shape, 0)).sum().backward()
        features, gradients = run(model, image, [last], training)
        same(features[last], theirs, last)
        same(gradients["image"], x.grad, "image")
        for name, p in peer.named_parameters():
            same(gradients[vissl_name(name)], p.grad, name)
        fill(model)  # the running statistics have moved

    return check


def regnets():
    rule = {"depth": 6, "w_0": 8, "w_a": 12.0, "w_m": 2.0, "group_width": 8, "stem_width": 16}
    names = ["conv1", "res2", "res3", "res4", "res5", "avgpool", "flatten"]
    short = {"depth": 3, "w_0": 8, "w_a": 8.0, "w_m": 2.0, "group_width": 8, "stem_width": 16}
    sides = ((64, 64),)
    z = {"bottleneck_multiplier": 4.0, "block_type": "res_bottleneck_linear_block", "activation": "silu"}
    lists = {"depths": [2, 1], "widths": [16, 24], "group_widths": [8, 6], "strides": [1, 2], "bottleneck_multipliers": [1.0, 0.5]}
    anynet = {**lists, "stem_width": 8}
    three = ["conv1", "res2", "res3", "res4", "avgpool", "flatten"]
    two = ["conv1", "res2", "res3", "avgpool", "flatten"]
    cases = {
        "y": case(Reg, rule, names, sides, check=against_timm_regnet(rule)),
        "x": case(Reg, {**short, "use_se": False, "stem_type": "res_stem_in", "bn_epsilon": 1e-3, "bn_momentum": 0.3}, three, sides),
        "z": case(Reg, {**short, **z}, three, sides),
        "anynet": case(Reg, {**anynet, "se_ratio": 0.5}, two),
        "basic": case(Reg, {**anynet, "block_type": "res_basic_block", "stem_type": "res_stem_cifar"}, two),
        "vanilla": case(Reg, {**anynet, "block_type": "vanilla_block"}, two),
    }
    return {"cases": cases, "counts": counts(regnet_counts())}


def regnet_counts():
    def of(depth, w_0, w_a, w_m, group):
        return {"depth": depth, "w_0": w_0, "w_a": w_a, "w_m": w_m, "group_width": group}

    known = {"400mf": ("004", (16, 48, 27.89, 2.09, 8)), "16gf": ("160", (18, 200, 106.23, 2.48, 112)), "32gf": ("320", (20, 232, 115.89, 2.53, 232))}
    for name, (peer, rule) in known.items():
        yield f"regnety_{peer}", Reg, of(*rule), {"variant": f"regnet_y_{name}"}
    yield "regnety_040", Reg, of(22, 96, 31.41, 2.24, 64), of(22, 96, 31.41, 2.24, 64)
    yield "regnetx_032", Reg, {**of(25, 88, 26.31, 2.25, 48), "use_se": False}, {"variant": "regnet_x_3.2gf"}
    for name, rule in {"64gf": (20, 352, 147.48, 2.4, 328), "128gf": (27, 456, 160.83, 2.52, 264), "256gf": (27, 640, 124.47, 2.04, 848)}.items():
        yield None, Reg, of(*rule), {"variant": f"regnet_y_{name}"}


if __name__ == "__main__":
    torch.set_num_threads(1)
    write("regnet.json", regnets())
