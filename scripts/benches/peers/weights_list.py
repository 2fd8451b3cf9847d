"""usage: weights_list.py FILE: names, types and shapes of a torch file's tensors as `vissl-host inspect --json` prints them."""
import json
import sys

import torch

state = torch.load(sys.argv[1], weights_only=True, mmap=True)["state_dict"]
print(json.dumps({"format": "torch_zip", "tensors": [
    {"name": f"state_dict.{name}", "dtype": str(value.dtype).removeprefix("torch."), "shape": list(value.shape)}
    for name, value in state.items()]}))
