"""Golden nearest neighbours: VISSL's vote on 60 training and 23 test vectors of 7 classes.

    python scripts/oracle/knn.py      # writes tests/golden/components/knn.json

Vectors are wave(shape, seed) moved towards a centre per class; no similarity occurs twice.
"""

import torch
import torch.nn.functional as F

from component_data import wave, write

CLASSES = 7


def split(count, dim, seed):
    labels = torch.tensor([(3 * i + 1) % CLASSES for i in range(count)])
    return wave([count, dim], seed) + 1.2 * wave([CLASSES, dim], 100.0)[labels], labels


def vote(train, train_labels, test, k, sigma):
    similarity = test @ train.t()
    values, indices = similarity.topk(k, largest=True, sorted=True)
    neighbours = train_labels[indices]
    one_hot = F.one_hot(neighbours, CLASSES).double()
    probabilities = (one_hot * (values.double() / sigma).exp().unsqueeze(2)).sum(1)
    return probabilities.sort(stable=True, dim=1, descending=True)[1]


train, train_labels = split(60, 9, 0.0)
test, test_labels = split(23, 9, 50.0)
cases = {}
for name, k, sigma, unit in (("plain", 20, 0.7, False), ("unit", 5, 0.1, True), ("one", 1, 0.1, True), ("all", 60, 0.07, True)):
    a, b = (F.normalize(train), F.normalize(test)) if unit else (train, test)
    order = vote(a, train_labels, b, k, sigma)
    right = order == test_labels[:, None]
    cases[name] = {
        "k": k, "sigma": sigma, "unit": unit, "order": order.tolist(),
        "top1": right[:, 0].double().mean().item(), "top5": right[:, :5].any(1).double().mean().item(),
    }
write("knn.json", {"cases": cases, "train_labels": train_labels.tolist(), "test_labels": test_labels.tolist()})
