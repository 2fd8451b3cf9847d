"""usage: check_weights.py HOST PLUGINS WORK [NAME…]: features after loading equal the source model's.

For each naming: a seeded model of torchvision or timm is saved as that system saves it, vissl-host loads it as documented and
extracts features of the same images; they must equal the source's within 1e-5 of the largest. Needs torch, torchvision, timm
and safetensors.
"""
import functools
import json
import pathlib
import pickle
import re
import subprocess
import sys

import numpy as np
import safetensors.torch
import timm
import torch
import torchvision
from torch import nn

HOST, PLUGINS, WORK = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
ONLY = sys.argv[4:]
SIZE, IMAGES = 64, 3

CONFIG = """
engine = {{ name = "extract_features" }}
[data.test]
data_sources = [{{ name = "synthetic", length = {images}, size = {size}, random_images = true, num_labels = 5 }}]
batchsize_per_replica = {images}
transforms = [{{ name = "ToTensor" }}]
[machine]
precision = "fp32"
threads = 1
[model]
trunk = {trunk}
[model.feature_eval]
eval_mode_on = true
freeze_trunk_only = true
extract_trunk_features_only = true
features = [{{ name = "{feature}"{pool} }}]
[model.weights_init]
{weights}
[optimizer]
name = "sgd"
num_epochs = 1
"""


def seeded(make):
    torch.manual_seed(7)
    model = make().eval()
    for name, buffer in model.named_buffers():  # batch norms that do something
        if name.endswith("running_mean"):
            buffer.copy_(torch.randn_like(buffer) * 0.1)
        elif name.endswith("running_var"):
            buffer.copy_(torch.rand_like(buffer) + 0.5)
    for name, parameter in model.named_parameters():
        if parameter.ndim == 1:
            parameter.data.add_(torch.randn_like(parameter) * 0.05)
    return model


def run(*arguments):
    done = subprocess.run([HOST, "--plugins", PLUGINS, *map(str, arguments)], cwd=WORK, text=True, capture_output=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, arguments))} ended with {done.returncode}:\n{done.stderr}")
    return done.stderr


def check(name, trunk, feature, save, weights, features, pool="", wanted=(), size=SIZE):
    """`save` writes name.bin; `features(images)` is the source model's answer; `wanted` is in the log."""
    if ONLY and name not in ONLY:
        return
    file = WORK / f"{name}.bin"
    save(file)
    config = WORK / f"{name}.toml"
    config.write_text(CONFIG.format(images=IMAGES, size=size, trunk=trunk, feature=feature, pool=pool,
                                    weights=f'params_file = "{file.name}"\n{weights}'))
    log = run("--config", config, f"checkpoint.dir={name}")
    for line in wanted:
        assert line in log, (name, line, log)
    compare(name, config, feature, features, log)


def compare(name, config, layer, features, log):
    """What extract_features wrote into the folder `name` for `layer`, against the source model."""
    images = WORK / "images.npy"
    run("show", "batch", "--split", "test", "--quiet", "--config", config, "--output", images)
    with torch.no_grad():
        expected = features(torch.from_numpy(np.load(images))).flatten(1).numpy()
    got = np.load(WORK / name / f"rank0_chunk0_test_{layer}_features.npy").reshape(IMAGES, -1)
    # `show batch` shuffles, extraction does not.
    order = np.abs(got[:, None] - expected[None]).max(2).argmin(1)
    assert sorted(order) == list(range(IMAGES)), (name, order)
    worst = float(np.abs(got - expected[order]).max() / np.abs(expected).max())
    assert np.abs(expected).max() > 0.01 and worst < 1e-5, (name, worst, log)
    print(json.dumps({"name": name, "largest_relative_difference": worst}))


def torch_file(tree):
    return lambda file: torch.save(tree, file)


def prefixed(prefix, state):
    return {prefix + key: value for key, value in state.items()}


def detectron2_names(state):
    out = {}
    for key, value in state.items():
        if key.startswith("fc.") or "num_batches_tracked" in key:
            continue
        key = key if key.startswith("layer") else "stem." + key
        key = re.sub(r"layer(\d)", lambda m: f"res{int(m[1]) + 1}", key)
        key = re.sub(r"bn(\d)", r"conv\1.norm", key)
        out[key.replace("downsample.0", "shortcut").replace("downsample.1", "shortcut.norm")] = value.numpy()
    return out


def resnets():
    for depth in (18, 50):
        model = seeded(getattr(torchvision.models, f"resnet{depth}"))
        state = model.state_dict()
        trunk = f'{{ name = "resnet", depth = {depth} }}'
        body = nn.Sequential(*list(model.children())[:-1])
        visual = lambda kind: f"resnet{depth}_{kind}"
        both = lambda kind, save, weights, **more: check(visual(kind), trunk, "res5avg", save, weights, body, **more)
        for level in ("trunk._feature_blocks.", "trunk.base_model._feature_blocks."):
            both("torchvision_" + level.split(".")[1], torch_file(state),
                 f'state_dict_key_name = ""\nappend_prefix = "{level}"', wanted=["100 % of the trunk"])
        vissl = {"trunk": prefixed("_feature_blocks.", state), "heads": {}}
        both("vissl", torch_file({"classy_state_dict": {"base_model": {"model": vissl}}}), "")
        both("ddp", torch_file({"model": prefixed("module.", state)}),
             'state_dict_key_name = "model"\nremove_prefix = "module."\nappend_prefix = "trunk._feature_blocks."')
        both("mmcv", torch_file({"meta": {"epoch": 3}, "state_dict": prefixed("backbone.", state)}),
             'profile = "mmcv"\nprefix = "backbone"')
        both("essmc2", torch_file({"state_dict": prefixed("module.backbone.", state)}),
             'profile = "essmc2"\nsub_level = "backbone"', wanted=["Load pretrained model [ResNet] from"])
        both("timm", torch_file(state), 'profile = "timm"')
        both("safetensors", lambda file: safetensors.torch.save_file(state, file), 'profile = "auto"')
        # What a Caffe2 or Detectron2 file lacks are counters of batches.
        for profile in ("auto", "detectron2"):
            both(f"detectron2_{profile}",
                 lambda file: file.write_bytes(pickle.dumps({"model": detectron2_names(state), "__author__": "torchvision",
                                                             "matching_heuristics": True}, 2)),
                 f'profile = "{profile}"')
        momentum = {key: value * 0.5 if value.is_floating_point() else value for key, value in state.items()}
        both("moco", torch_file({"arch": "resnet", "state_dict": {**prefixed("module.encoder_k.", momentum),
                                                                  **prefixed("module.encoder_q.", state)}}),
             'profile = "auto"', wanted=["weights: chosen 'state_dict.module.encoder_q.…'"])
        both("lightly", torch_file({"state_dict": prefixed("backbone.", body.state_dict())}), 'profile = "auto"',
             wanted=["lightly's Sequential"])


def quantized_resnet():
    """Convolutions of 8 bits, by tensor and by channel: they become the numbers that torch makes of them."""
    model = seeded(torchvision.models.resnet18)
    state = model.state_dict()
    for count, name in enumerate([name for name, value in state.items() if value.ndim == 4]):
        value = state[name]
        if count % 2 == 0:
            state[name] = torch.quantize_per_tensor(value, float(value.abs().max()) / 127, 0, torch.qint8)
        else:
            scales = value.abs().amax((1, 2, 3)).double() / 127
            zeros = torch.zeros(len(scales), dtype=torch.int64)
            state[name] = torch.quantize_per_channel(value, scales, zeros, 0, torch.qint8)
    whole = {name: value.dequantize() if value.is_quantized else value for name, value in state.items()}
    model.load_state_dict(whole)
    torch.save(state, WORK / "quantized.pth")
    run("convert", WORK / "quantized.pth", WORK / "whole.pth", "--to", "torch", "--force")
    ours = torch.load(WORK / "whole.pth")
    assert all(torch.equal(value, ours[name]) for name, value in whole.items()), "dequantised bits differ"
    check("quantized", '{ name = "resnet", depth = 18 }', "res5avg", torch_file(state), 'profile = "auto"',
          nn.Sequential(*list(model.children())[:-1]), wanted=["100 % of the trunk"])


def timm_resnets():
    for depth in (18, 50):
        model = seeded(lambda: timm.create_model(f"resnet{depth}", num_classes=7))
        check(f"timm_resnet{depth}", f'{{ name = "resnet", depth = {depth} }}', "res5avg",
              torch_file({"state_dict_ema": model.state_dict()}), 'profile = "timm"',
              lambda x: model.global_pool(model.forward_features(x)), wanted=["100 % of the trunk"])


def vissl_release(state):
    """A RegNet of torchvision as VISSL's SEER checkpoints hold it, with heads that nobody here has; timm reads it as such."""
    swaps = [(r"^stem\.", "conv1.stem."), (r"^trunk_output\.block(\d)", lambda m: f"res{int(m[1]) + 1}"),
             (r"\.se\.fc1\.", ".se.excitation.0."), (r"\.se\.fc2\.", ".se.excitation.2."),
             (r"\.f\.c\.0\.", ".f.c."), (r"\.f\.c\.1\.", ".f.final_bn."), (r"\.proj\.0\.", ".proj."), (r"\.proj\.1\.", ".bn.")]
    trunk = {}
    for name, value in state.items():
        if name.startswith("fc."):
            continue
        for theirs, ours in swaps:
            name = re.sub(theirs, ours, name)
        trunk["_feature_blocks." + name] = value
    heads = {"0.projection_head.0.weight": torch.randn(16, 440), "0.prototypes0.weight": torch.randn(30, 16)}
    model = {"trunk": trunk, "heads": heads}
    return {"phase_idx": 1, "iteration": 7, "iteration_num": 7, "train_phase_idx": 0, "loss": {}, "type": "consolidated",
            "classy_state_dict": {"train": True, "base_model": {"model": model, "meta": {"trunk": {}, "heads": {}}},
                                  "meters": [], "optimizer": {}}}


def regnets():
    # The two spell out the same network: RegNetY-400MF.
    trunk = '{ name = "regnet", variant = "regnet_y_400mf" }'
    ours = torchvision.models.regnet_y_400mf
    model = seeded(ours)
    check("regnet_torchvision", trunk, "avgpool", torch_file(model.state_dict()), 'profile = "auto"',
          lambda x: model.avgpool(model.trunk_output(model.stem(x))), wanted=["torchvision's RegNet"])
    release = vissl_release(model.state_dict())
    reader = timm.create_model("regnety_004", num_classes=0).eval()
    reader.load_state_dict(timm.models.regnet._filter_fn(release))
    for profile in ("vissl", "auto"):
        check(f"regnet_seer_{profile}", trunk, "avgpool", torch_file(release), f'profile = "{profile}"',
              lambda x: reader.forward_features(x).mean((2, 3)), wanted=["100 % of the trunk"])

    in_parts = {re.sub(r"block(\d)-(\d+)", lambda m: f"block{m[1]}-part{int(m[2]) // 2}.{m[0]}", name): value
                for name, value in release["classy_state_dict"]["base_model"]["model"]["trunk"].items()}
    check("regnet_seer_parts", trunk, "avgpool",
          torch_file({"classy_state_dict": {"base_model": {"model": {"trunk": in_parts, "heads": {}}}}}), 'profile = "auto"',
          lambda x: reader.forward_features(x).mean((2, 3)), wanted=["100 % of the trunk", "VISSL's RegNet in parts"])

    other = seeded(lambda: timm.create_model("regnety_004", num_classes=7))
    for profile in ("timm", "auto"):
        check(f"regnet_timm_{profile}", trunk, "avgpool", torch_file(other.state_dict()),
              f'profile = "{profile}"', lambda x: other.forward_features(x).mean((2, 3)),
              wanted=["100 % of the trunk"])


def vision_transformers():
    vit = '{ name = "vision_transformer", image_size = 64, patch_size = 16, num_layers = 2, num_heads = 4, hidden_dim = 32, mlp_dim = 64, qkv_bias = true }'
    model = seeded(lambda: timm.models.vision_transformer.VisionTransformer(
        img_size=SIZE, patch_size=16, embed_dim=32, depth=2, num_heads=4, mlp_ratio=2, num_classes=5))
    check("vit_timm", vit, "lastCLS", torch_file(model.state_dict()), 'profile = "timm"',
          lambda x: model.forward_features(x)[:, 0])
    # Position embeddings of a larger image, resized as timm resizes them.
    big = seeded(lambda: timm.models.vision_transformer.VisionTransformer(
        img_size=96, patch_size=16, embed_dim=32, depth=2, num_heads=4, mlp_ratio=2, num_classes=5))
    small = timm.models.vision_transformer.VisionTransformer(
        img_size=SIZE, patch_size=16, embed_dim=32, depth=2, num_heads=4, mlp_ratio=2, num_classes=5).eval()
    state = big.state_dict()
    resized = timm.layers.resample_abs_pos_embed(state["pos_embed"], [4, 4], num_prefix_tokens=1)
    small.load_state_dict({**state, "pos_embed": resized})
    check("vit_resized", vit, "lastCLS", torch_file(state), 'profile = "timm"',
          lambda x: small.forward_features(x)[:, 0], wanted=["1 adapted"])
    # The same by timm's own load of the file: trained at 224, used at 384.
    small = dict(embed_dim=32, depth=2, num_heads=4, mlp_ratio=2, num_classes=5)
    at_224 = seeded(lambda: timm.create_model("vit_tiny_patch16_224", **small))

    def at_384(x):
        model = timm.create_model("vit_tiny_patch16_224", pretrained=True, img_size=384, **small,
                                  pretrained_cfg_overlay=dict(file=str(WORK / "vit_224_at_384.bin"), num_classes=5))
        return model.eval().forward_features(x)[:, 0]

    check("vit_224_at_384", vit.replace("image_size = 64", "image_size = 384"), "lastCLS", torch_file(at_224.state_dict()),
          'profile = "timm"', at_384, wanted=["1 adapted"], size=384)
    other = seeded(lambda: torchvision.models.VisionTransformer(SIZE, 16, 2, 4, 32, 64, num_classes=5))

    def class_token(x):
        x = other._process_input(x)
        return other.encoder(torch.cat([other.class_token.expand(len(x), -1, -1), x], 1))[:, 0]

    check("vit_torchvision", vit, "lastCLS", torch_file(other.state_dict()), 'profile = "auto"', class_token,
          wanted=["torchvision's vision transformer"])


def other_vision_transformers():
    """Files that a filter translates; timm's own loaders say that they are such files."""
    vit = '{{ name = "vision_transformer", image_size = 64, patch_size = 16, num_layers = 2, num_heads = 4, hidden_dim = 32, mlp_dim = 64, qkv_bias = true{} }}'
    make = lambda **more: seeded(lambda: timm.models.vision_transformer.VisionTransformer(
        img_size=SIZE, patch_size=16, embed_dim=32, depth=2, num_heads=4, mlp_ratio=2, num_classes=0, **more))
    features = lambda model: lambda x: model.forward_features(x)[:, 0]

    model = make()
    google = {"embedding/kernel": model.patch_embed.proj.weight.permute(2, 3, 1, 0), "embedding/bias": model.patch_embed.proj.bias,
              "cls": model.cls_token, "Transformer/posembed_input/pos_embedding": model.pos_embed,
              "Transformer/encoder_norm/scale": model.norm.weight, "Transformer/encoder_norm/bias": model.norm.bias}
    for i, block in enumerate(model.blocks):
        at, heads = f"Transformer/encoderblock_{i}/", "MultiHeadDotProductAttention_1/"
        for place, norm in (("LayerNorm_0/", block.norm1), ("LayerNorm_2/", block.norm2)):
            google |= {at + place + "scale": norm.weight, at + place + "bias": norm.bias}
        for place, layer in (("MlpBlock_3/Dense_0/", block.mlp.fc1), ("MlpBlock_3/Dense_1/", block.mlp.fc2)):
            google |= {at + place + "kernel": layer.weight.T, at + place + "bias": layer.bias}
        for part, weight, bias in zip(("query", "key", "value"), block.attn.qkv.weight.chunk(3), block.attn.qkv.bias.chunk(3)):
            google |= {at + heads + part + "/kernel": weight.T.reshape(32, 4, 8), at + heads + part + "/bias": bias.reshape(4, 8)}
        google |= {at + heads + "out/kernel": block.attn.proj.weight.T.reshape(4, 8, 32), at + heads + "out/bias": block.attn.proj.bias}

    def save_google(file):
        with open(file, "wb") as out:
            np.savez(out, **{name: value.detach().numpy() for name, value in google.items()})
        again = make()
        with torch.no_grad():
            timm.models.vision_transformer._load_weights(again, str(file))
        assert all(torch.equal(value, again.state_dict()[name]) for name, value in model.state_dict().items())

    for profile in ("timm", "auto"):
        check(f"vit_google_{profile}", vit.format(""), "lastCLS", save_google, f'profile = "{profile}"', features(model),
              wanted=["weights: filters jax"])

    scaled = make(init_values=0.5)
    check("dinov2", vit.format(""), "lastCLS", torch_file(scaled.state_dict() | {"mask_token": torch.zeros(1, 32)}),
          'profile = "auto"', features(scaled), wanted=["weights: filters layer_scale"])

    tower = make(pre_norm=True, norm_layer=functools.partial(nn.LayerNorm, eps=1e-5), act_layer="quick_gelu")
    swaps = [("patch_embed.proj", "conv1"), ("pos_embed", "positional_embedding"), ("cls_token", "class_embedding"),
             ("norm_pre", "ln_pre"), (r"^norm\.", "ln_post."), (r"blocks\.", "transformer.resblocks."), (r"\.norm", ".ln_"),
             (r"attn\.qkv\.", "attn.in_proj_"), (r"attn\.proj", "attn.out_proj"), ("mlp.fc1", "mlp.c_fc"), ("mlp.fc2", "mlp.c_proj")]
    clip = {}
    for name, value in tower.state_dict().items():
        for ours, theirs in swaps:
            name = re.sub(ours, theirs, name)
        clip["visual." + name] = value
    clip["visual.class_embedding"] = clip["visual.class_embedding"].flatten()
    clip["visual.positional_embedding"] = clip["visual.positional_embedding"][0]
    again = timm.models.vision_transformer.checkpoint_filter_fn(dict(clip), tower)
    assert all(torch.equal(value, again[name]) for name, value in tower.state_dict().items())
    check("clip", vit.format(', pre_norm = true, norm_eps = 1e-5, activation = "quick_gelu"'), "lastCLS",
          torch_file(clip | {"logit_scale": torch.zeros([])}), 'profile = "auto"', features(tower),
          wanted=["weights: filters clip"])


CLASSIFIER = """
[data.train]
data_sources = [{{ name = "synthetic", length = {images}, size = {size}, random_images = true, num_labels = 100 }}]
batchsize_per_replica = {images}
transforms = [{{ name = "ToTensor" }}]
[data.test]
data_sources = [{{ name = "synthetic", length = {images}, size = {size}, random_images = true, num_labels = 100 }}]
batchsize_per_replica = {images}
transforms = [{{ name = "ToTensor" }}]
[machine]
precision = "fp32"
threads = 1
[model]
trunk = {{ name = "resnet", depth = 50 }}
heads = [{{ name = "mlp", dims = [2048, 100] }}]
[model.weights_init]
profile = "essmc2"
path = "pretrain.pth"
[loss]
name = "cross_entropy_multiple_output_single_target"
[optimizer]
name = "sgd"
num_epochs = 1
[optimizer.param_schedulers.lr]
name = "constant"
value = 0.0
"""


class Classifier(nn.Module):
    """The three parts of EssentialMC2's class of this name."""

    def __init__(self, classes):
        super().__init__()
        self.backbone = torchvision.models.resnet50()
        del self.backbone.fc
        self.neck = nn.AdaptiveAvgPool2d(1)
        self.head = nn.ModuleDict({"fc": nn.Linear(2048, classes)})

    def forward(self, x):
        for name, layer in self.backbone.named_children():
            x = x if name == "avgpool" else layer(x)
        return self.head["fc"](self.neck(x).flatten(1))


def classifier():
    """EssentialMC2's example: a file of 100 classes into 100 and into 200, both of one config."""
    name = "essmc2_classifier"
    if ONLY and name not in ONLY:
        return
    model = seeded(lambda: Classifier(100))
    torch.save({"state_dict": nn.DataParallel(model).state_dict()}, WORK / "pretrain.pth")
    config = WORK / f"{name}.toml"
    config.write_text(CLASSIFIER.format(images=IMAGES, size=SIZE))
    load = f"Load pretrained model [Classifier] from {WORK / 'pretrain.pth'}"
    log = run("--config", config, "engine.name=extract_features", f"checkpoint.dir={name}")
    assert load in log and "loaded 320 of 320 tensors" in log and "in source state_dict" not in log, log
    compare(name, config, "heads", model, log)

    log = run("--log-format", "json", "--config", config, "model.heads[mlp].dims=[2048, 200]", "checkpoint.dir=two_hundred")
    said = [(line["level"], line["text"]) for line in map(json.loads, log.splitlines())]
    theirs = [("info", load),
              ("warning", "ignore keys from source: \n"
                          "head.fc.weight: invalid shape, dst torch.Size([200, 2048]) vs. src torch.Size([100, 2048])\n"
                          "head.fc.bias: invalid shape, dst torch.Size([200]) vs. src torch.Size([100])"),
              ("warning", "missing key in source state_dict: head.fc.weight, head.fc.bias")]
    assert said[:3] == theirs and "loaded 318 of 320 tensors (100 % of the trunk)" in said[3][1], said
    assert not any(level == "warning" for level, _ in said[3:]), said


resnets()
quantized_resnet()
timm_resnets()
classifier()
regnets()
vision_transformers()
other_vision_transformers()
