"""Writes tests/golden/components/weights_adapt.json: tensors that timm adapts to another model, and names that Python's
re.sub rewrites. Run in an environment with torch, timm and numpy."""
import json
import pathlib
import re

import torch
import torch.nn.functional as F
from timm.layers import resample_abs_pos_embed, resize_rel_pos_bias_table
from timm.models import beit, swin_transformer
from timm.models._manipulate import adapt_input_conv

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/components/weights_adapt.json"


def wave(shape, seed):
    n = torch.Size(shape).numel()
    return torch.sin(0.37 * torch.arange(1, n + 1, dtype=torch.float64) + seed).reshape(shape).float()


def numbers(tensor):
    return {"shape": list(tensor.shape), "data": tensor.double().flatten().tolist()}


def channels(shape, wanted, dtype=torch.float32):
    weight = wave(shape, 1.0).to(dtype)
    return {"from": numbers(weight), "half": dtype == torch.float16, "wanted": wanted,
            "to": numbers(adapt_input_conv(wanted, weight))}


def positions(tokens, extra, grid, antialias):
    embedding = wave([1, tokens, 4], 2.0)
    if antialias:
        resized = resample_abs_pos_embed(embedding, [grid, grid], num_prefix_tokens=extra, antialias=True)
    else:  # VISSL, DINO and MAE
        side = int((tokens - extra) ** 0.5)
        rest = embedding[:, extra:].reshape(1, side, side, 4).permute(0, 3, 1, 2)
        rest = F.interpolate(rest, size=(grid, grid), mode="bicubic", align_corners=False)
        resized = torch.cat([embedding[:, :extra], rest.permute(0, 2, 3, 1).reshape(1, grid * grid, 4)], 1)
    return {"from": numbers(embedding), "antialias": antialias, "to": numbers(resized)}


def table(shape, wanted, window, dtype=torch.float32):
    """Biases of relative positions as timm resizes them for windows of that height and width."""
    biases = wave(shape, 3.0).to(dtype)
    resized = resize_rel_pos_bias_table(biases, new_window_size=window, new_bias_shape=wanted)
    assert list(resized.shape) == wanted
    return {"from": numbers(biases), "half": dtype == torch.float16, "to": numbers(resized)}


def rows(window, extra):
    return (2 * window - 1) ** 2 + extra


def by_model(module, make, before, after, name):
    """What the loading functions of timm's Swin and BEiT make of a whole file: the same, without the indexes."""
    state = make(before).state_dict()
    state[name] = wave(state[name].shape, 3.0)
    index = name.replace("bias_table", "index")
    loaded = module.checkpoint_filter_fn(state | {index: torch.zeros(4)}, make(after))
    assert index not in loaded
    return {"from": numbers(state[name]), "half": False, "to": numbers(loaded[name])}


def swin(window):
    return swin_transformer.SwinTransformer(img_size=8 * window, patch_size=4, window_size=window, embed_dim=4, depths=(1,),
                                            num_heads=(2,), num_classes=0)


def beit_of(window):
    return beit.Beit(img_size=4 * window, patch_size=4, embed_dim=4, depth=1, num_heads=2, num_classes=0, use_rel_pos_bias=True)


RULES = [
    (r"^module\.", ""), (r"^module.", ""), (r"\.conv.weight", ".weight"), (r"(\d+)\.(\d+)", r"\2.\1"),
    (r"(?P<stage>layer\d)\.", r"\g<stage>_"), (r"x*", "-"), (r"\bbn\d\b", "norm"), (r"(?<=layer)\d", "N"),
    (r"weight\Z", "w"), (r"$", ".end"), (r"(?i)LAYER", "stage"), (r"[.]", "$"), (r"(a)|(b)", r"[\1\2]"),
    (r"(?!module)m", "M"), (r"\.", r"\\"), (r"(l)(a)(y)", r"\g<3>\g<2>\g<1>\g<0>"), (r"e+?", "E"), (r"\W", r"\t"),
    (r"1{,2}\.", "."), (r"[o]{2,}", "0"), (r"a{,}b", "B"), (r"{x}|\.{|d{}", "brace"), (r"[[:alpha:]]", "A"), (r"[]x[]+", "S"),
    (r"\w+", "W"), ("(?x) layer # the [stage\n\\d", "L"), (r"(?P<R>l)?a(?(R)y|b)", "c"), (r"(l)a(?(1)y|b)", r"\1"), (r"(?i:LAYER)1|(?s-i:B)", "i"),
    (r"(?>\d+)\.", "#"), (r"\d++", "P"), (r"(.)\1", "2"), (r"(?P<d>\d)(?P=d)?", r"<\g<d>>"), (r"[\141-c]", "o"), (r"\x2e", "dot"),
    (r"layer(?#a comment)+", "y"), (r"\141|\0", r"\101"), (r"[\w.-]+?(?=\.)", r"\a"), (r"\u00f6.*", r"\n"),
    (r"(?i)\u00d6", "oe"), (r"[^\W\d]", "_"), (r"(?i)(?m)^M", "^"), (r"weight$|bias$", ""), (r"[\b]|\v", "v"),
]
# Known to PCRE2, which matches for us, and unknown to Python.
REFUSED = [
    r"(?<n>a)", r"(?'n'a)", r"(a)(?1)", r"(?P<n>a)(?P>n)", r"(?|a|b)", r"(?J)a", r"(?U)a", r"a(?i)b", r"((?i)a)", r"|(?i)a", r"(?R)",
    r"(?&n)", r"(*ACCEPT)", r"(?^i:a)", r"(?-i)a", r"a{2}{3}", r"a**", r"^*a", r"\b+", r"\Qa\E", r"\R", r"\h", r"\K", r"\Ga", r"\pL",
    r"\g{1}", r"\k<n>", r"\x{41}", r"\xa", r"[\8]", r"[\A]", r"\1(a)", r"(a\1)", r"(?P=n)(?P<n>a)", r"(?(DEFINE)a)", r"(?(?=a)b|c)",
    r"(?P<n>a)(?P<n>b)", r"(?P<1>a)", r"\400", r"*a", r"{1}a", r"(?i-i:a)", r"[a", r"(?C1)a", r"(?n)a",
]
NAMES = ["module.layer1.0.conv1.weight", "modulex.layer12.3.bn2.bias", "abxd", "layer1.conv.weight", "a.module.b", "k\u00f6rper.\u00d6.{1}[x]"]
TEMPLATES_REFUSED = [("(a)", r"\2"), ("a", r"\g<n>"), ("(a)", r"\g<-1>"), ("a", r"\q"), ("(?P<n>a)", r"\g<m>"), ("a", r"\g<*MARK>")]


def checked(pattern, replacement=""):
    """The pair, which Python must refuse."""
    try:
        re.sub(pattern, replacement, "a")
    except (re.error, IndexError):  # IndexError: no such group in a replacement
        return [pattern, replacement]
    raise SystemExit(f"Python takes {pattern!r} -> {replacement!r}")


OUT.write_text(json.dumps({
    "channels": [channels([1, 2, 1, 1], 1), channels([2, 3, 2, 2], 1), channels([2, 12, 1, 2], 1),
                 channels([2, 3, 2, 2], 2), channels([2, 3, 2, 2], 4), channels([2, 3, 2, 2], 6),
                 channels([2, 3, 2, 2], 7), channels([2, 3, 2, 2], 1, torch.float16)],
    "positions": [positions(17, 1, 6, True), positions(16, 0, 7, True), positions(37, 1, 3, True),
                  positions(17, 1, 6, False), positions(37, 1, 3, False)],
    "windows": [table([rows(4, 0), 2], [rows(7, 0), 2], (7, 7)), table([rows(7, 0), 1], [rows(4, 0), 1], (4, 4)),
                table([rows(3, 3), 3], [rows(5, 3), 3], (5, 5)), table([rows(6, 3), 1], [rows(2, 3), 1], (2, 2)),
                table([rows(1, 0), 2], [rows(3, 0), 2], (3, 3)), table([rows(3, 0), 2], [rows(1, 0), 2], (1, 1)),
                table([rows(2, 0), 1], [rows(9, 0), 1], (9, 9)), table([rows(3, 3), 2], [rows(4, 3), 2], (4, 4), torch.float16),
                table([2, 5, 7], [2, 9, 3], (5, 2)), table([1, 7, 5], [1, 7, 9], (4, 5)),
                by_model(swin_transformer, swin, 4, 6, "layers.0.blocks.0.attn.relative_position_bias_table"),
                by_model(beit, beit_of, 3, 5, "blocks.0.attn.relative_position_bias_table")],
    "rules": [{"pattern": p, "replacement": r, "name": n, "result": re.sub(p, r, n)} for p, r in RULES for n in NAMES],
    "refused": [checked(p) for p in REFUSED] + [checked(p, r) for p, r in TEMPLATES_REFUSED],
}) + "\n")
