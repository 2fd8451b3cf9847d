"""Golden losses: values and gradients of VISSL's definitions, written out over torch in float64.

    python scripts/oracle/losses.py      # writes tests/golden/components/losses.json

InfoNCE is VISSL's: masks of positives and negatives over exp(similarity / temperature), positives counted once.
"""

import torch
import torch.nn.functional as F

from component_data import numbers, wave, write


def info_nce(rows, temperature):
    count = rows.shape[0]
    n = count // 2
    z = F.normalize(rows, dim=1)
    similarity = torch.exp(z @ z.t() / temperature)
    positive_mask, negative_mask = torch.zeros(count, count, dtype=rows.dtype), torch.ones(count, count, dtype=rows.dtype)
    for view in range(2):
        for i in range(n):
            row = view * n + i
            positive_mask[row, (1 - view) * n + i] = 1
            negative_mask[row, i] = 0
            negative_mask[row, n + i] = 0
    positive = (similarity * positive_mask).sum(1)
    negative = (similarity * negative_mask).sum(1)
    return -torch.log(positive / (positive + negative)).mean()


def multiple(outputs, target, temperature=1.0, weight=None, normalize=False, ignore=-1, smoothing=0.0):
    total = 0
    for output in outputs:
        logits = (F.normalize(output, dim=1) if normalize else output) / temperature
        log_p = torch.log_softmax(logits, 1)
        if target.ndim == 2:
            total = total - (target * log_p).sum(1).mean()
            continue
        kept = target != ignore
        rows = torch.arange(len(target))[kept]
        labels = target[kept]
        if smoothing:
            soft = F.one_hot(labels, logits.shape[1]).to(logits) * (1 - smoothing) + smoothing / logits.shape[1]
            total = total - (soft * log_p[rows]).sum(1).mean()
            continue
        w = torch.ones(logits.shape[1], dtype=logits.dtype) if weight is None else torch.tensor(weight, dtype=logits.dtype)
        total = total - (w[labels] * log_p[rows, labels]).sum() / w[labels].sum()
    return total


cases = {}


def record(name, loss, outputs):
    grads = torch.autograd.grad(loss, outputs)
    cases[name] = {"loss": loss.item(), "grads": [numbers(g) for g in grads]}


for rows, dim, temperature in ((2, 3, 0.5), (8, 5, 0.1), (12, 16, 0.07)):
    x = wave([rows, dim], 0.0, torch.float64).requires_grad_()
    record(f"info_nce_{rows}_{dim}_{temperature}", info_nce(x, temperature), [x])

a = wave([6, 4], 0.0, torch.float64).requires_grad_()
b = wave([6, 4], 1.0, torch.float64).requires_grad_()
target = torch.tensor([0, 3, 1, -1, 2, 2])
full = torch.tensor([0, 3, 1, 0, 2, 2])
soft = torch.softmax(wave([6, 4], 2.0, torch.float64), 1)
weight = [1.0, 0.5, 2.0, 0.25]
record("plain", multiple([a], target), [a])
record("weighted", multiple([a], target, weight=weight), [a])
record("two_outputs", multiple([a, b], target, temperature=0.2), [a, b])
record("normalized", multiple([a, b], target, temperature=0.2, normalize=True), [a, b])
record("soft", multiple([a], soft), [a])
record("smoothed", multiple([a], full, smoothing=0.1), [a])
write("losses.json", cases)
