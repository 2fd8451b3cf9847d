"""Golden accuracies: VISSL's definition over torch.topk on two batches without equal scores.

    python scripts/oracle/meters.py      # writes tests/golden/components/meters.json
"""

import torch

from component_data import wave, write

K = [1, 3, 5]


def hits(scores, target, k):
    """Correct predictions of the top k: target is one-hot, or any number of 1 per row."""
    if target.ndim == 1:
        target = torch.nn.functional.one_hot(target, scores.shape[1])
    picked = scores.topk(k, 1, sorted=True)[1]
    return target.gather(1, picked).double().max(1).values.sum().item()


labels = [torch.tensor([(3 * i + b) % 9 for i in range(16)]) for b in range(2)]
sets = [(wave([16, 9], 20.0 + b) > 0.5).float() for b in range(2)]
scores = [wave([16, 9], float(b)) for b in range(2)]
out = {}
for name, targets in (("classes", labels), ("sets", sets)):
    correct = [sum(hits(s, t, k) for s, t in zip(scores, targets)) for k in K]
    out[name] = {f"top_{k}": 100.0 * round(c / 32, 6) for k, c in zip(K, correct)}
write("meters.json", out)
