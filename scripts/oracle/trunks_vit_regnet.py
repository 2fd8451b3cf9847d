"""Golden vision transformers and RegNets: VISSL's and ClassyVision's networks restated with torch's modules.

    python scripts/oracle/trunks_vit_regnet.py      # writes tests/golden/components/vision_transformer.json and regnet.json

Per network: a CRC-32 of the state dict's names and shapes and of its initial values under torch.manual_seed(3); then, with
every tensor set by `fill`, the features and the gradients of a sum over all features in training and evaluation mode, computed
in float64. Where timm has the same network, its features and gradients are compared here first, under the name maps below.
Random parts (dropout, stochastic depth, dropped patches) are drawn under torch.manual_seed(7) in float32 and float64.
`counts` holds the numbers of parameters of known networks, compared with timm's.
"""

import contextlib
import math
import re
import zlib

import timm
import torch
from timm.models.regnet import RegNet, RegNetCfg
from timm.models.vision_transformer import VisionTransformer
from torch import nn

from component_data import write


@contextlib.contextmanager
def seeded(seed):
    state = torch.get_rng_state()
    torch.manual_seed(seed)
    yield
    torch.set_rng_state(state)


# ---- vision transformer


class DropPath(nn.Module):
    def __init__(self, p):
        super().__init__()
        self.p = p

    def forward(self, x):
        if self.p == 0.0 or not self.training:
            return x
        keep = 1 - self.p
        kept = (keep + torch.rand((x.shape[0], 1, 1), dtype=x.dtype)).floor_()
        return x.div(keep) * kept


class Attention(nn.Module):
    def __init__(self, o):
        super().__init__()
        self.heads = o["num_heads"]
        self.scale = o["qk_scale"] or (o["hidden_dim"] // self.heads) ** -0.5
        self.qkv = nn.Linear(o["hidden_dim"], 3 * o["hidden_dim"], bias=o["qkv_bias"])
        self.weights_drop = nn.Dropout(o["attention_dropout_rate"])
        self.proj = nn.Linear(o["hidden_dim"], o["hidden_dim"])
        self.drop = nn.Dropout(o["dropout_rate"])

    def forward(self, x):
        n, t, d = x.shape
        q, k, v = self.qkv(x).reshape(n, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        weights = self.weights_drop(((q @ k.transpose(-2, -1)) * self.scale).softmax(-1))
        return self.drop(self.proj((weights @ v).transpose(1, 2).reshape(n, t, d)))


class Mlp(nn.Module):
    def __init__(self, o):
        super().__init__()
        self.fc1 = nn.Linear(o["hidden_dim"], o["mlp_dim"])
        self.fc2 = nn.Linear(o["mlp_dim"], o["hidden_dim"])
        self.drop = nn.Dropout(o["dropout_rate"])

    def forward(self, x):
        return self.drop(self.fc2(self.drop(nn.functional.gelu(self.fc1(x)))))


class VitBlock(nn.Module):
    def __init__(self, o, drop_path):
        super().__init__()
        self.norm1 = nn.LayerNorm(o["hidden_dim"], eps=1e-6)
        self.attn = Attention(o)
        self.norm2 = nn.LayerNorm(o["hidden_dim"], eps=1e-6)
        self.mlp = Mlp(o)
        self.drop_path = DropPath(drop_path)

    def forward(self, x):
        x = x + self.drop_path(self.attn(self.norm1(x)))
        return x + self.drop_path(self.mlp(self.norm2(x)))


VIT_DEFAULTS = {
    "image_size": 32,
    "patch_size": 8,
    "num_layers": 2,
    "num_heads": 4,
    "hidden_dim": 32,
    "mlp_dim": 64,
    "dropout_rate": 0.0,
    "attention_dropout_rate": 0.0,
    "drop_path_rate": 0.0,
    "qkv_bias": False,
    "qk_scale": 0.0,
    "use_class_token": True,
    "masked_image_modeling": "",
    "drop_ratio": 0.0,
    "global_view_tokens": 196,
}


class Vit(nn.Module):
    """Blocks are drawn under the seed 0 + number + 1: the init seed of the test's store is 0."""

    def __init__(self, **options):
        super().__init__()
        self.o = o = {**VIT_DEFAULTS, **options}
        width = o["hidden_dim"]
        self.side = o["image_size"] // o["patch_size"]
        self.patch_embed = nn.Module()
        self.patch_embed.proj = nn.Conv2d(3, width, o["patch_size"], o["patch_size"])
        self.prefix = 1 if o["use_class_token"] else 0
        if self.prefix:
            self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, self.prefix + self.side**2, width))
        rates = [x.item() for x in torch.linspace(0, o["drop_path_rate"], o["num_layers"], device="cpu")]
        self.blocks = nn.ModuleList()
        for i, rate in enumerate(rates):
            with seeded(i + 1):
                block = VitBlock(o, rate)
                for module in block.modules():
                    if isinstance(module, nn.Linear):
                        nn.init.trunc_normal_(module.weight, std=0.02)
                        if module.bias is not None:
                            nn.init.zeros_(module.bias)
            self.blocks.append(block)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        nn.init.trunc_normal_(self.pos_embed, std=0.02)
        if self.prefix:
            nn.init.trunc_normal_(self.cls_token, std=0.02)
        if o["masked_image_modeling"] == "ibot":
            self.patch_masking = nn.Module()
            self.patch_masking.masked_embed = nn.Parameter(torch.zeros(1, width))

    def positions(self, count, grid):
        known = self.side**2
        if count == known:
            return self.pos_embed
        patches = self.pos_embed[:, self.prefix :].reshape(1, self.side, self.side, -1).permute(0, 3, 1, 2)
        if grid[0] == grid[1]:
            patches = nn.functional.interpolate(patches, scale_factor=math.sqrt(count / known), mode="bicubic")
        else:  # ours alone
            patches = nn.functional.interpolate(patches, size=grid, mode="bicubic")
        patches = patches.permute(0, 2, 3, 1).reshape(1, count, -1)
        return torch.cat([self.pos_embed[:, : self.prefix], patches], 1)

    def forward(self, x, names, mask=None):
        o = self.o
        x = self.patch_embed.proj(x)
        grid = tuple(x.shape[2:])
        x = x.flatten(2).transpose(1, 2)
        count = x.shape[1]
        if mask is not None:
            x = x.clone()
            x[mask.reshape(mask.shape[0], -1)] = self.patch_masking.masked_embed.to(x.dtype)
        if self.prefix:
            x = torch.cat([self.cls_token.expand(x.shape[0], -1, -1), x], 1)
        x = x + self.positions(count, grid)
        if o["masked_image_modeling"] == "msn" and o["drop_ratio"] > 0 and count >= o["global_view_tokens"]:
            kept = torch.randperm(count)[: math.floor(count * (1 - o["drop_ratio"]))]
            x = x[:, torch.cat([torch.arange(self.prefix), kept + self.prefix])]
        x = nn.functional.dropout(x, o["dropout_rate"], self.training)
        normed = []
        for block in self.blocks:
            x = block(x)
            normed.append(self.norm(x))
        return {name: self.feature(name, normed, grid) for name in names}

    def feature(self, name, normed, grid):
        kind, number = re.fullmatch(r"([a-zA-Z]+)_?([\d_]*)", name).groups()
        if kind == "stridePOOL":
            count, *stride = [int(n) for n in number.split("_")]
            step = stride[0] if stride else -(-len(normed) // count)
            return torch.cat([x.mean(1) for x in normed[::-step][:count]], -1)
        if kind == "lastMAP":
            return normed[-1][:, self.prefix :].reshape(normed[-1].shape[0], *grid, -1)
        picked = [normed[int(number)]] if kind == "blkCLS" else normed[-int(number or 1) :]
        take = {"CLS": lambda x: x[:, 0], "BLK": lambda x: x, "POOL": lambda x: x.mean(1)}[re.search("CLS|BLK|POOL", kind)[0]]
        return torch.cat([take(x) for x in picked], -1)


# ---- RegNet


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


# ---- what is stored


def noise(shape, seed, dtype=torch.float64):
    """Uniform in [-1, 1], from torch's generator."""
    with seeded(seed):
        return (2 * torch.rand(shape, dtype=torch.float64) - 1).to(dtype)


def fill(model):
    """Tensor number k of the state dict becomes noise(shape, k), scaled so that layers keep their input's size."""
    with torch.no_grad():
        for k, (name, t) in enumerate(model.state_dict().items()):
            if t.is_floating_point():
                around = 1.0 if name.endswith("running_var") or (t.dim() == 1 and name.endswith("weight")) else 0.0
                scale = {1: 0.25, 3: 1.0}.get(t.dim()) or math.sqrt(3 / t[0].numel())
                t.copy_(around + scale * noise(t.shape, k))


def summary(t, picks):
    flat = t.detach().double().reshape(-1)
    at = torch.linspace(0, flat.numel() - 1, min(picks, flat.numel())).long()
    return {"shape": list(t.shape), "mean": flat.mean().item(), "square": flat.pow(2).mean().item(), "values": flat[at].tolist()}


def run(model, x, names, training, mask=None):
    """Features, and gradients of sum_j (feature_j * noise(shape, j)) by parameter; "image" is the input's."""
    model.train(training)
    model.zero_grad()
    x = x.clone().requires_grad_()
    features = model(x, names, mask=mask)
    total = sum((f * noise(f.shape, j, f.dtype)).sum() for j, f in enumerate(features.values()))
    total.backward()
    gradients = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    return features, {"image": x.grad, **gradients}


def golden(model, image, names, training, mask=None):
    features, gradients = run(model, image, names, training, mask)
    out = {"features": {k: summary(v, 12) for k, v in features.items()}}
    out["gradients"] = {k: summary(v, 4) for k, v in gradients.items()}
    return out


def initial(model):
    state = model.state_dict()
    return {
        "names": zlib.crc32("\n".join(f"{k} {list(v.shape)}" for k, v in state.items()).encode()),
        "count": len(state),
        "crc": zlib.crc32(b"".join(v.numpy().tobytes() for v in state.values())),
    }


def make(kind, options):
    torch.manual_seed(3)
    return kind(**options)


def case(kind, options, names, sides=((32, 32),), modes=(True, False), check=None):
    if kind is Vit:
        options = {**VIT_DEFAULTS, **options}
    entry = {"options": options, "names": names, "initial": initial(make(kind, options)), "passes": []}
    for height, width in sides:
        for training in modes:
            model = make(kind, options).double()
            fill(model)
            shape = [4, 3, height, width]
            image = noise(shape, 9)
            if check:
                check(model, image, names, training)
            entry["passes"].append({"image": shape, "training": training, **golden(model, image, names, training)})
    return entry


def same(ours, theirs, what):
    error = (ours - theirs).abs().max().item() / max(1.0, theirs.abs().max().item())
    assert error < 1e-10, f"{what}: differs from timm's by {error}"


def against_timm_vit(model, image, names, training):
    o = model.o
    peer = VisionTransformer(
        img_size=o["image_size"],
        patch_size=o["patch_size"],
        embed_dim=o["hidden_dim"],
        depth=o["num_layers"],
        num_heads=o["num_heads"],
        mlp_ratio=o["mlp_dim"] / o["hidden_dim"],
        qkv_bias=o["qkv_bias"],
        num_classes=0,
    ).double()
    peer.load_state_dict(model.state_dict())  # the names are the same
    peer.train(training)
    x = image.clone().requires_grad_()
    (peer.forward_features(x) * noise((4, 17, o["hidden_dim"]), 0)).sum().backward()
    features, gradients = run(model, image, ["lastBLK"], training)
    same(features["lastBLK"], peer.forward_features(image), "lastBLK")
    same(gradients["image"], x.grad, "image")
    for name, p in peer.named_parameters():
        same(gradients[name], p.grad, name)


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


def random_case(options, names, training, mask=None, image=(2, 3, 32, 32)):
    options = {**VIT_DEFAULTS, **options}
    entry = {"options": options, "names": names, "image": list(image), "training": training}
    for dtype, key in ((torch.float32, "float32"), (torch.float64, "float64")):
        model = make(Vit, options).double()
        fill(model)
        model = model.to(dtype)
        torch.manual_seed(7)
        entry[key] = golden(model, noise(image, 9, dtype), names, training, mask)
    return entry


def vits():
    cls = ["blkCLS0", "blkCLS1", "concatCLS1", "concatCLS2", "concatBLK2", "lastBLK", "lastMAP", "lastCLS"]
    pool = ["concatPOOL2", "stridePOOL_2", "stridePOOL_2_1", "stridePOOL_1_3", "concatBLK1", "lastBLK", "lastMAP", "lastPOOL"]
    no_class = {"num_layers": 3, "use_class_token": False, "qk_scale": 0.5}
    dropped = {"dropout_rate": 0.1, "attention_dropout_rate": 0.2, "drop_path_rate": 0.5, "num_layers": 3}
    mask = torch.arange(2 * 4 * 4).reshape(2, 4, 4) % 3 == 0
    cases = {
        "plain": case(Vit, {"qkv_bias": True}, cls, check=against_timm_vit),
        "resized": case(Vit, {}, ["lastCLS", "lastMAP"], sides=((48, 48), (16, 16), (24, 40), (40, 8)), modes=(False,)),
        "no_class_token": case(Vit, no_class, pool),
    }
    random = {
        "dropout": random_case(dropped, ["lastCLS"], True),
        "ibot": random_case({"masked_image_modeling": "ibot"}, ["lastBLK"], True, mask),
        "msn": random_case({"masked_image_modeling": "msn", "drop_ratio": 0.4, "global_view_tokens": 16}, ["lastBLK"], True),
        "msn_small": random_case({"masked_image_modeling": "msn", "drop_ratio": 0.4, "global_view_tokens": 17}, ["lastBLK"], False),
    }
    return {"cases": cases, "random": random, "counts": counts(vit_counts())}


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


# ---- numbers of parameters


def vit_counts():
    sizes = {"small": (12, 384, 6), "base": (12, 768, 12), "large": (24, 1024, 16)}
    for name, (layers, width, heads) in sizes.items():
        o = {"image_size": 224, "patch_size": 16, "num_layers": layers, "num_heads": heads, "hidden_dim": width, "mlp_dim": 4 * width, "qkv_bias": True}
        yield f"vit_{name}_patch16_224", Vit, o, o


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


def counts(models):
    out = []
    for peer, kind, options, written in models:
        with torch.device("meta"):
            ours = sum(p.numel() for p in kind(**options).parameters())
            if peer:
                theirs = sum(p.numel() for p in timm.create_model(peer, num_classes=0).parameters())
                assert ours == theirs, f"{peer}: {ours} parameters, timm has {theirs}"
        out.append({"options": written, "parameters": ours})
    return out


def main():
    torch.set_num_threads(1)
    write("vision_transformer.json", vits())
    write("regnet.json", regnets())


if __name__ == "__main__":
    main()
