"""usage: checkpoint.py FILE TENSORS MIB: torch.save and torch.load of a state dict; prints seconds as JSON.

The values are those of tests/bench/checkpoint_bench.cpp, so that `verify` can compare its file.
checkpoint.py verify FILE TENSORS MIB
"""
import json
import os
import sys
import time

import torch


def state_of(tensors, mib):
    count = mib * 2**20 // 4 // tensors
    ramp = torch.arange(count, dtype=torch.float32)
    return {f"layer{i}.weight": ramp + i for i in range(tensors)}


verify = sys.argv[1] == "verify"
file, tensors, mib = sys.argv[1 + verify], int(sys.argv[2 + verify]), int(sys.argv[3 + verify])
state = state_of(tensors, mib)
if verify:
    loaded = torch.load(file, weights_only=True)
    assert list(loaded) == list(state) and all(torch.equal(loaded[name], value) for name, value in state.items())
    print(json.dumps({"tensors_compared": tensors, "equal": True}))
    sys.exit()

start = time.perf_counter()
with open(file + ".partial", "wb") as out:
    torch.save(state, out)
    out.flush()
    os.fsync(out.fileno())
os.rename(file + ".partial", file)
saved = time.perf_counter()
loaded = torch.load(file, weights_only=True)
total = sum(float(value[0]) for value in loaded.values())
done = time.perf_counter()
lazy = torch.load(file, weights_only=True, mmap=True)
total += sum(float(value[0]) for value in lazy.values())
print(json.dumps({"save_s": saved - start, "load_s": done - saved, "mmap_load_s": time.perf_counter() - done, "sum": total}))
