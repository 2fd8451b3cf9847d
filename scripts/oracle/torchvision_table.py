#!/usr/bin/env python3
"""Writes plugins/weights_schemes/model_zoos/torchvision_table.cpp: torchvision's names of weights and their addresses.

Each model gives MODEL.MEMBER for every member of its enumeration, MODEL.default, and MODEL alone where the older
interface, pretrained=True, had weights: those are the classic names. Run it with the torchvision of
scripts/oracle/requirements.txt or a later one.
"""
import pathlib

import torchvision
from torchvision.models import get_model_builder, get_model_weights, list_models

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
OUT = ROOT / "plugins/weights_schemes/model_zoos/torchvision_table.cpp"
BASE = "https://download.pytorch.org/models/"


def classic(builder):
    """What pretrained=True loads, read from the wrapper that still accepts it; None without such weights."""
    while builder is not None:
        for cell in getattr(builder, "__closure__", None) or ():
            options = cell.cell_contents
            if isinstance(options, dict) and "weights" in options:
                parameter, default = options["weights"]
                if callable(default) and not hasattr(default, "url"):
                    default = default({"quantize": True, parameter: True})
                return default
        builder = getattr(builder, "__wrapped__", None)
    return None


def main():
    table = {}
    for model in list_models():
        weights = get_model_weights(model)
        for member in weights:
            table[f"{model}.{member.name.lower()}"] = member.url
        if len(weights):
            table[f"{model}.default"] = weights.DEFAULT.url
        older = classic(get_model_builder(model))
        if older is not None:
            table[model] = older.url
    lines = [
        f"// Made by scripts/oracle/torchvision_table.py from torchvision {torchvision.__version__.split('+')[0]}; do not edit.",
        '#include "tables.hpp"',
        "",
        "namespace model_zoos {",
        "",
        "// clang-format off",
        "const Entry kTorchvision[] = {",
    ]
    for name, url in sorted(table.items()):
        assert url.startswith(BASE), url
        lines.append(f'    {{"{name}", "{url[len(BASE):]}"}},')
    lines += ["};", "// clang-format on", "const std::size_t kTorchvisionCount = sizeof kTorchvision / sizeof *kTorchvision;"]
    lines += ["", "}  // namespace model_zoos", ""]
    OUT.write_text("\n".join(lines))
    print(f"{len(table)} names")


if __name__ == "__main__":
    main()
