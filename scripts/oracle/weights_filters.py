"""Writes tests/golden/components/weights_filters.json: files of other systems and what their own readers make of them.

Run in an environment with torch, numpy, timm and transformers 4.46. Per case the tensors of a file and the state that must
come of it, in timm's names. Google's files go through timm's loader of .npz, CLIP's through timm's filter function, Hugging
Face's names come from its own conversion scripts or models, and where the state is spelled out here, the two networks give
the same features. All numbers are small multiples of 1/64, so that JSON keeps them exactly.
"""
import functools
import json
import pathlib
import tempfile

import numpy as np
import timm
import torch
from timm.models.vision_transformer import VisionTransformer, checkpoint_filter_fn
from torch import nn
from transformers import CLIPVisionConfig, CLIPVisionModel, Dinov2Config, Dinov2Model, ViTConfig, ViTModel
from transformers.models.dinov2 import convert_dinov2_to_hf as dinov2_script
from transformers.models.vit import convert_vit_timm_to_pytorch as vit_script

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/components/weights_filters.json"
WIDTH, HEADS, DEPTH, PATCH, SIDE, CLASSES = 4, 2, 2, 2, 4, 3
GENERATOR = torch.Generator().manual_seed(5)


def some(shape):
    return torch.randint(-64, 65, tuple(shape), generator=GENERATOR) / 64


def filled(model):
    for value in model.state_dict().values():
        value.copy_(some(value.shape))
    return model.eval()


def vit(**more):
    return filled(VisionTransformer(img_size=SIDE, patch_size=PATCH, embed_dim=WIDTH, depth=DEPTH, num_heads=HEADS,
                                    mlp_ratio=2, num_classes=CLASSES, **more))


def numbers(state):
    return {name: {"shape": list(value.shape), "data": value.flatten().tolist()} for name, value in state.items()}


def same_features(ours, theirs):
    image = some([2, 3, SIDE, SIDE])
    with torch.no_grad():
        a, b = ours.forward_features(image), theirs(image)
    assert torch.allclose(a, b, atol=1e-5), (a - b).abs().max()


def jax_file(prefix, scanned):
    """The layout of Google's vision transformers: plain, or big_vision's with all blocks in one tensor."""
    head = WIDTH // HEADS
    attention, mlp, norm2 = (0, 0, 1) if prefix else (1, 3, 2)
    block = {"LayerNorm_0/scale": [WIDTH], "LayerNorm_0/bias": [WIDTH],
             f"LayerNorm_{norm2}/scale": [WIDTH], f"LayerNorm_{norm2}/bias": [WIDTH],
             f"MlpBlock_{mlp}/Dense_0/kernel": [WIDTH, 2 * WIDTH], f"MlpBlock_{mlp}/Dense_0/bias": [2 * WIDTH],
             f"MlpBlock_{mlp}/Dense_1/kernel": [2 * WIDTH, WIDTH], f"MlpBlock_{mlp}/Dense_1/bias": [WIDTH],
             f"MultiHeadDotProductAttention_{attention}/out/kernel": [HEADS, head, WIDTH],
             f"MultiHeadDotProductAttention_{attention}/out/bias": [WIDTH]}
    for part in ("query", "key", "value"):
        block[f"MultiHeadDotProductAttention_{attention}/{part}/kernel"] = [WIDTH, HEADS, head]
        block[f"MultiHeadDotProductAttention_{attention}/{part}/bias"] = [HEADS, head]
    tokens = 1 + (SIDE // PATCH) ** 2
    shapes = {"embedding/kernel": [PATCH, PATCH, 3, WIDTH], "embedding/bias": [WIDTH], "cls": [1, 1, WIDTH],
              "Transformer/encoder_norm/scale": [WIDTH], "Transformer/encoder_norm/bias": [WIDTH],
              "head/kernel": [WIDTH, CLASSES], "head/bias": [CLASSES],
              "pos_embedding" if prefix else "Transformer/posembed_input/pos_embedding": [1, tokens, WIDTH]}
    for name, shape in block.items():
        if scanned:
            shapes[f"Transformer/encoderblock/{name}"] = [DEPTH, *shape]
        for i in range(0 if scanned else DEPTH):
            shapes[f"Transformer/encoderblock_{i}/{name}"] = shape
    return {prefix + name: some(shape) for name, shape in shapes.items()}


def jax(prefix="", scanned=False):
    file, model = jax_file(prefix, scanned), vit()
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "vit.npz"
        np.savez(path, **{name: value.numpy() for name, value in file.items()})
        with torch.no_grad():
            model.load_pretrained(str(path))
    return file, model.state_dict()


def huggingface_vit():
    model = vit()
    state = model.state_dict()
    config = ViTConfig(hidden_size=WIDTH, num_hidden_layers=DEPTH, num_attention_heads=HEADS, intermediate_size=2 * WIDTH,
                       image_size=SIDE, patch_size=PATCH, layer_norm_eps=1e-6)
    file = dict(state)
    for old, new in vit_script.create_rename_keys(config):
        vit_script.rename_key(file, old, new)
    vit_script.read_in_q_k_v(file, config)
    theirs = ViTModel(config, add_pooling_layer=False).eval()
    theirs.load_state_dict({name[4:]: value for name, value in file.items() if name.startswith("vit.")})
    same_features(model, lambda image: theirs(image).last_hidden_state)
    return file, state


def folded(state):
    """A network without layer scale that gives the same features."""
    out = {}
    for name, value in state.items():
        for kind, layer in (("ls1", "attn.proj"), ("ls2", "mlp.fc2")):
            if f".{layer}." in name:
                gamma = state[name.split(layer)[0] + kind + ".gamma"]
                value = value * gamma.reshape(-1, *[1] * (value.ndim - 1))
        if ".ls" not in name:
            out[name] = value
    return out


def without_head(state):
    return {name: value for name, value in state.items() if not name.startswith("head.")}


def dinov2():
    model, plain = vit(init_values=1.0), vit()
    expected = folded(model.state_dict())
    plain.load_state_dict(expected)
    same_features(plain, model.forward_features)
    file = without_head(model.state_dict()) | {"mask_token": some([1, WIDTH])}
    filtered = checkpoint_filter_fn(dict(file), model)
    assert set(filtered) == set(file) - {"mask_token"}
    return file, without_head(expected)


def huggingface_dinov2():
    file, expected = dinov2()
    config = Dinov2Config(hidden_size=WIDTH, num_hidden_layers=DEPTH, num_attention_heads=HEADS, mlp_ratio=2,
                          image_size=SIDE, patch_size=PATCH)
    for old, new in dinov2_script.create_rename_keys(config):
        dinov2_script.rename_key(file, old, new)
    dinov2_script.read_in_q_k_v(file, config)
    theirs, ours = Dinov2Model(config).eval(), vit()
    theirs.load_state_dict(file)
    ours.load_state_dict(expected, strict=False)
    same_features(ours, lambda image: theirs(image).last_hidden_state)
    return file, expected


def deit3():
    """DeiT III's layer scale is called gamma_1 and gamma_2."""
    model = vit(init_values=1.0)
    state = without_head(model.state_dict())
    file = {name.replace("ls1.gamma", "gamma_1").replace("ls2.gamma", "gamma_2"): value for name, value in state.items()}
    again = checkpoint_filter_fn(dict(file), model, adapt_layer_scale=True)
    assert set(again) == set(state)
    return file, folded(state)


CLIP = {"pre_norm": True, "norm_layer": functools.partial(nn.LayerNorm, eps=1e-5), "act_layer": "quick_gelu"}


def clip():
    tokens = 1 + (SIDE // PATCH) ** 2
    shapes = {"visual.class_embedding": [WIDTH], "visual.positional_embedding": [tokens, WIDTH], "visual.proj": [WIDTH, CLASSES],
              "visual.conv1.weight": [WIDTH, 3, PATCH, PATCH], "logit_scale": [], "text_projection": [WIDTH, CLASSES],
              "transformer.resblocks.0.ln_1.weight": [6]}
    for norm in ("ln_pre", "ln_post"):
        shapes |= {f"visual.{norm}.{leaf}": [WIDTH] for leaf in ("weight", "bias")}
    for i in range(DEPTH):
        block = f"visual.transformer.resblocks.{i}."
        shapes |= {f"{block}{norm}.{leaf}": [WIDTH] for norm in ("ln_1", "ln_2") for leaf in ("weight", "bias")}
        shapes |= {block + "attn.in_proj_weight": [3 * WIDTH, WIDTH], block + "attn.in_proj_bias": [3 * WIDTH],
                   block + "attn.out_proj.weight": [WIDTH, WIDTH], block + "attn.out_proj.bias": [WIDTH],
                   block + "mlp.c_fc.weight": [2 * WIDTH, WIDTH], block + "mlp.c_fc.bias": [2 * WIDTH],
                   block + "mlp.c_proj.weight": [WIDTH, 2 * WIDTH], block + "mlp.c_proj.bias": [WIDTH]}
    file, model = {name: some(shape) for name, shape in shapes.items()}, vit(**CLIP)
    model.load_state_dict(checkpoint_filter_fn(dict(file), model))
    return file, with_patch_bias(model.state_dict())


def with_patch_bias(state):
    # Our patches have a bias, which is then nothing.
    return state | {"patch_embed.proj.bias": torch.zeros(WIDTH)}


def huggingface_clip():
    config = CLIPVisionConfig(hidden_size=WIDTH, num_hidden_layers=DEPTH, num_attention_heads=HEADS, intermediate_size=2 * WIDTH,
                              image_size=SIDE, patch_size=PATCH)
    theirs, ours = CLIPVisionModel(config).eval(), vit(**CLIP)
    state = {name: some(value.shape) for name, value in theirs.state_dict().items() if "position_ids" not in name}
    theirs.load_state_dict(state, strict=False)
    swaps = [("vision_model.", ""), ("embeddings.class_embedding", "cls_token"), ("pre_layrnorm", "norm_pre"),
             ("embeddings.position_embedding.weight", "pos_embed"), ("embeddings.patch_embedding", "patch_embed.proj"),
             ("post_layernorm", "norm"), ("encoder.layers", "blocks"), ("layer_norm", "norm"), ("self_attn.out_proj", "attn.proj")]
    expected = {}
    for name, value in state.items():
        for old, new in swaps:
            name = name.replace(old, new)
        expected[name] = value
    for i in range(DEPTH):
        for leaf in ("weight", "bias"):
            parts = [expected.pop(f"blocks.{i}.self_attn.{part}_proj.{leaf}") for part in "qkv"]
            expected[f"blocks.{i}.attn.qkv.{leaf}"] = torch.cat(parts)
    expected["cls_token"] = expected["cls_token"].reshape(1, 1, WIDTH)
    expected["pos_embed"] = expected["pos_embed"].unsqueeze(0)
    missing = ours.load_state_dict(expected, strict=False)
    assert missing.missing_keys == ["head.weight", "head.bias"] and not missing.unexpected_keys
    # The model's own last norm is applied to the class token alone.
    same_features(ours, lambda image: theirs.vision_model.post_layernorm(theirs(image).last_hidden_state))
    return state, with_patch_bias(expected)


def weight_norms():
    cases = []
    for make in (nn.utils.weight_norm, nn.utils.parametrizations.weight_norm):
        model = nn.Sequential(make(nn.Linear(4, 3, bias=False)), make(nn.Conv2d(2, 3, 2)), make(nn.Linear(4, 1)),
                              make(nn.Linear(3, 2), dim=1))
        for value in model.state_dict().values():
            value.copy_(some(value.shape))
        expected = {}
        for i, layer in enumerate(model):
            for hook in layer._forward_pre_hooks.values():
                hook(layer, None)
            expected[f"{i}.weight"] = layer.weight.detach()
            if layer.bias is not None:
                expected[f"{i}.bias"] = layer.bias.detach()
        cases.append((model.state_dict(), expected))
    return cases


norms = weight_norms()
CASES = {"jax": jax(), "jax_big_vision": jax("params/", True), "huggingface_vit": huggingface_vit(), "dinov2": dinov2(),
         "huggingface_dinov2": huggingface_dinov2(), "deit3": deit3(), "clip": clip(), "huggingface_clip": huggingface_clip(),
         "weight_norm": norms[0], "weight_norm_parametrizations": norms[1]}
OUT.write_text(json.dumps({name: {"file": numbers(file), "state": numbers(state)} for name, (file, state) in CASES.items()},
                          separators=(",", ":")) + "\n")
