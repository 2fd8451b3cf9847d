"""usage: weights_heuristics.py DETECTRON2: writes tests/golden/components/weights_heuristics.json.

DETECTRON2 is a checkout of Detectron2; its align_and_update_state_dicts says which name of a file goes to which name of a
model. Needs torch and tabulate. Names are drawn from few words, so that many end alike; a case that Detectron2 refuses as
ambiguous has null for its pairs.
"""
import importlib.util
import json
import logging
import pathlib
import random
import sys

import torch

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/components/weights_heuristics.json"
source = pathlib.Path(sys.argv[1]) / "detectron2/checkpoint/c2_model_loading.py"
spec = importlib.util.spec_from_file_location("c2_model_loading", source)
detectron2 = importlib.util.module_from_spec(spec)
spec.loader.exec_module(detectron2)
logging.disable(logging.CRITICAL)
draw = random.Random(11)


def names(count, deepest):
    made = set()
    while len(made) < count:
        parts = [draw.choice(("body", "left", "right", "conv", "res", "xconv")) for _ in range(draw.randint(0, deepest))]
        made.add(".".join([*parts, draw.choice(("weight", "bias"))]))
    return {name: draw.choice((2, 3)) for name in sorted(made)}


def case():
    model, file = names(draw.randint(2, 9), 4), names(draw.randint(1, 6), 2)
    tensors = {name: torch.zeros(size) for name, size in file.items()}
    try:
        result = detectron2.align_and_update_state_dicts({name: torch.zeros(size) for name, size in model.items()}, dict(tensors), False)
    except ValueError:
        return {"model": model, "file": file, "pairs": None}
    by_tensor = {id(value): name for name, value in tensors.items()}
    pairs = {name: by_tensor[id(value)] for name, value in result.items() if name in model and value.shape[0] == model[name]}
    return {"model": model, "file": file, "pairs": pairs}


cases = [case() for _ in range(400)]
kept = [c for c in cases if c["pairs"]][:60] + [c for c in cases if c["pairs"] is None][:30] + [c for c in cases if c["pairs"] == {}][:10]
OUT.write_text(json.dumps(kept, separators=(",", ":")) + "\n")
