#!/usr/bin/env python3
"""Writes tests/golden/conversion_names.json: what torchvision and timm call the tensors of the same networks.

Per network and system the names with their shapes, as each library's own state_dict() has them. Detectron2's,
ClassyVision's and Caffe2's names are spelled out here by replacing text, for those libraries need no installing.
"""
import json
import pathlib
import re

import timm
import torch
import torchvision

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/conversion_names.json"


def listed(model):
    return {name: list(value.shape) for name, value in model.state_dict().items()}


def renamed(names, rename):
    return {new: shape for old, shape in names.items() if (new := rename(old)) is not None}


def detectron2(name):
    if "num_batches_tracked" in name:
        return None
    if name.startswith("fc."):
        return name.replace("fc.", "linear.")
    if "layer" not in name:
        name = "stem." + name
    for stage in (4, 3, 2, 1):
        name = name.replace(f"layer{stage}", f"res{stage + 1}")
    for k in (1, 2, 3):
        name = name.replace(f"bn{k}", f"conv{k}.norm")
    return name.replace("downsample.0", "shortcut").replace("downsample.1", "shortcut.norm")


def classy(name):
    if name.startswith("fc."):
        return "block3-2.default_head." + name
    name = re.sub(r"^conv1\.", "initial_block._module.0.", name)
    name = re.sub(r"^bn1\.", "initial_block._module.1.", name)
    name = re.sub(r"^layer(\d)\.(\d+)\.", lambda m: f"blocks.{int(m[1]) - 1}.block{int(m[1]) - 1}-{m[2]}.", name)
    for part, place in (("conv1", "0"), ("bn1", "1"), ("conv2", "3"), ("bn2", "4"), ("conv3", "6")):
        name = name.replace(f".{part}.", f".convolutional_block.{place}.")
    return name.replace(".bn3.", ".bn.")


def caffe2(name):
    if "num_batches_tracked" in name:
        return None
    name = re.sub(r"^layer(\d)\.(\d+)\.", lambda m: f"res{int(m[1]) + 1}_{m[2]}_", name)
    for k, letter in (("1", "a"), ("2", "b"), ("3", "c")):
        name = re.sub(rf"_conv{k}\.", f"_branch2{letter}.", name)
        name = re.sub(rf"_bn{k}\.", f"_branch2{letter}_bn.", name)
    name = name.replace("_downsample.0.", "_branch1.").replace("_downsample.1.", "_branch1_bn.")
    name = re.sub(r"^bn1\.", "res_conv1_bn.", name).replace("fc.", "pred.")
    is_norm = "_bn." in name
    for long, short in (("running_mean", "rm"), ("running_var", "riv"), ("weight", "s" if is_norm else "w"), ("bias", "b")):
        name = name.replace("." + long, "_" + short)
    return name


def main():
    out = {}
    for depth in (18, 50, 101):
        with torch.device("meta"):
            names = listed(getattr(torchvision.models, f"resnet{depth}")())
            assert listed(timm.create_model(f"resnet{depth}")) == names
        systems = {"torchvision": names, "detectron2": renamed(names, detectron2)}
        if depth == 50:
            systems |= {"classy": renamed(names, classy), "caffe2": renamed(names, caffe2)}
        out[f"resnet{depth}"] = systems
    out["regnet_y_400mf"] = {"torchvision": listed(torchvision.models.regnet_y_400mf()),
                             "timm": listed(timm.create_model("regnety_004"))}
    with torch.device("meta"):
        out["vit_b_16"] = {"torchvision": listed(torchvision.models.vit_b_16()),
                           "timm": listed(timm.create_model("vit_base_patch16_224"))}
    lines = []
    for network, systems in out.items():
        inner = ",\n".join(f"  {json.dumps(system)}: {json.dumps(names, separators=(',', ':'))}" for system, names in systems.items())
        lines.append(f"{json.dumps(network)}: {{\n{inner}\n}}")
    OUT.write_text("{\n" + ",\n".join(lines) + "\n}\n")


main()
