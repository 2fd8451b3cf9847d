"""Golden vision transformers: VISSL's network restated with torch's modules.

    python scripts/oracle/trunks_vit.py      # writes tests/golden/components/vision_transformer.json

What is stored: trunks_golden.py. timm's network is the same; its features and gradients are compared here first. Random parts
(dropout, stochastic depth, dropped patches) are drawn under torch.manual_seed(7) in float32 and float64. `counts` holds the
numbers of parameters of known networks, compared with timm's.
"""

import math

import torch
from timm.models.vision_transformer import VisionTransformer
from torch import nn

from component_data import write
from trunks_golden import case, counts, fill, golden, make, noise, run, same, seeded


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


def vit_case(options, *more, **named):
    return case(Vit, {**VIT_DEFAULTS, **options}, *more, **named)


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
        "plain": vit_case({"qkv_bias": True}, cls, check=against_timm_vit),
        "resized": vit_case({}, ["lastCLS", "lastMAP"], sides=((48, 48), (16, 16), (24, 40), (40, 8)), modes=(False,)),
        "no_class_token": vit_case(no_class, pool),
    }
    random = {
        "dropout": random_case(dropped, ["lastCLS"], True),
        "ibot": random_case({"masked_image_modeling": "ibot"}, ["lastBLK"], True, mask),
        "msn": random_case({"masked_image_modeling": "msn", "drop_ratio": 0.4, "global_view_tokens": 16}, ["lastBLK"], True),
        "msn_small": random_case({"masked_image_modeling": "msn", "drop_ratio": 0.4, "global_view_tokens": 17}, ["lastBLK"], False),
    }
    return {"cases": cases, "random": random, "counts": counts(vit_counts())}


def vit_counts():
    sizes = {"small": (12, 384, 6), "base": (12, 768, 12), "large": (24, 1024, 16)}
    for name, (layers, width, heads) in sizes.items():
        o = {"image_size": 224, "patch_size": 16, "num_layers": layers, "num_heads": heads, "hidden_dim": width, "mlp_dim": 4 * width, "qkv_bias": True}
        yield f"vit_{name}_patch16_224", Vit, o, o


if __name__ == "__main__":
    torch.set_num_threads(1)
    write("vision_transformer.json", vits())
