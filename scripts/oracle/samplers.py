"""Writes tests/golden/samplers.inc: index vectors of torch's DistributedSampler, of VISSL's
StatefulDistributedSampler and of VISSL's DATA_LIMIT sampling.

    python scripts/oracle/samplers.py > tests/golden/samplers.inc

DistributedSampler is torch's own class. The other two are VISSL's definitions written over torch.randperm
and numpy.random.RandomState.
"""

import numpy as np
import torch
from torch.utils.data.distributed import DistributedSampler


def ints(name, values):
    values = [str(int(v)) for v in values]
    print(f"static const int64_t {name}[{len(values)}] = {{")
    for i in range(0, len(values), 16):
        print("    " + ", ".join(values[i : i + 16]) + ",")
    print("};")


def distributed(length, world, rank, epoch, shuffle=True):
    sampler = DistributedSampler(range(length), num_replicas=world, rank=rank, shuffle=shuffle)
    sampler.set_epoch(epoch)
    return list(sampler)


def stateful(length, world, rank, epoch, seed, batch_size, start_iter=0):
    per_rank = length // world
    order = torch.randperm(per_rank, generator=torch.Generator().manual_seed(epoch + seed))
    return (rank * per_rank + order)[start_iter * batch_size :].tolist()


def random_limit(length, count, seed, skip):
    return np.random.RandomState(seed).permutation(length)[: skip + count][skip:]


def balanced_limit(labels, count, seed, skip):
    generator = np.random.RandomState(seed)
    classes = sorted(set(labels))
    each, more = divmod(count, len(classes))
    skip_each, skip_more = divmod(skip, len(classes))
    chosen = []
    for number, label in enumerate(classes):
        members = np.array([i for i, other in enumerate(labels) if other == label])
        skipped = skip_each + (number < skip_more)
        members = members[generator.permutation(len(members))]
        chosen += list(members[: skipped + each + (number < more)][skipped:])
    return chosen


print("// Made by scripts/oracle/samplers.py; do not edit.")
print("// clang-format off")
for rank in range(4):
    ints(f"kDistributed10Of4Epoch0Rank{rank}", distributed(10, 4, rank, 0))
ints("kDistributed101Of3Epoch7Rank1", distributed(101, 3, 1, 7))
ints("kDistributed3Of8Epoch2Rank5", distributed(3, 8, 5, 2))
ints("kDistributed3Of8Epoch2Rank7", distributed(3, 8, 7, 2))
ints("kDistributed10Of4InOrderRank3", distributed(10, 4, 3, 0, shuffle=False))
for rank in range(2):
    ints(f"kStateful10Of2Epoch1Rank{rank}", stateful(10, 2, rank, 1, 0, 4))
ints("kStateful103Of4Epoch3Seed5Rank2", stateful(103, 4, 2, 3, 5, 8))
ints("kStateful103Of4Epoch3Seed5Rank2From2", stateful(103, 4, 2, 3, 5, 8, start_iter=2))
ints("kLimitRandom", random_limit(50, 12, 0, 0))
ints("kLimitRandomSkip", random_limit(50, 12, 42, 7))
labels = [(i * i + i // 3) % 5 * 10 for i in range(60)]
ints("kLimitLabels", labels)
ints("kLimitBalanced", balanced_limit(labels, 13, 0, 0))
ints("kLimitBalancedSkip", balanced_limit(labels, 11, 3, 7))
