"""usage: weights.py make FILE TENSORS MIB | copied FILE | into FILE | into_mapped FILE | mapped FILE: a state dict written, or
loaded and every byte touched; `into` copies it into tensors that are there, as load_state_dict does, with torch.load(mmap=True)
for `into_mapped`.

FILE ends in .pth (torch.save, torch.load) or .safetensors (the safetensors package). Loading prints seconds as JSON, and the
sum of all 64-bit words as tests/bench/weights_bench.cpp forms it.
"""
import json
import sys
import time

import torch

action, file = sys.argv[1:3]
if file.endswith(".safetensors"):
    import safetensors.torch
if action == "make":
    tensors, mib = int(sys.argv[3]), int(sys.argv[4])
    count = mib * 2**20 // 4 // tensors // 2 * 2
    noise = torch.Generator().manual_seed(0)
    state = {f"layer{i}.weight": torch.randn(count, generator=noise) for i in range(tensors)}
    if file.endswith(".safetensors"):
        safetensors.torch.save_file(state, file)
    else:
        torch.save({"state_dict": state}, file)
    sys.exit()
if action.startswith("into"):
    on_disk = torch.load(file, weights_only=True, mmap=True)["state_dict"]
    model = {name: torch.ones_like(value) for name, value in on_disk.items()}
    del on_disk
start = time.perf_counter()
if file.endswith(".safetensors"):
    state = safetensors.torch.load_file(file)
else:
    state = torch.load(file, weights_only=True, mmap=action.endswith("mapped"))["state_dict"]
if action.startswith("into"):
    for name, value in model.items():
        value.copy_(state[name])
    state = model
torch.set_num_threads(1)  # as ours adds up
total = sum(int(value.view(torch.int64).sum()) for value in state.values())
print(json.dumps({"load_s": time.perf_counter() - start, "sum": f"{total % 2**64:016x}"}))
