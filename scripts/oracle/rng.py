"""Writes tests/golden/rng.inc: draws of torch's CPU generator, numpy's RandomState and Python's random.

Run with torch 2.11 and numpy 2 on an x86-64 CPU with AVX2 and FMA:
    python scripts/oracle/rng.py > tests/golden/rng.inc
Floating-point values are written as their bits.
"""

import random
import struct

import numpy as np
import torch


def array(name, ctype, words):
    print(f"static const {ctype} {name}[{len(words)}] = {{")
    for i in range(0, len(words), 8):
        print("    " + ", ".join(words[i : i + 8]) + ",")
    print("};")


def f64(name, values):
    bits = [struct.unpack("<Q", struct.pack("<d", float(v)))[0] for v in values]
    array(name, "uint64_t", [f"0x{b:016x}u" for b in bits])


def f32(name, tensor):
    array(name, "uint32_t", [f"0x{b:08x}u" for b in tensor.numpy().view(np.uint32).tolist()])


def ints(name, values):
    array(name, "int64_t", [str(int(v)) for v in values])


def generator(seed):
    return torch.Generator().manual_seed(seed)


def torch_section():
    g = generator(7)
    f32("kTorchUniform32", torch.rand(12, generator=g))
    f32("kTorchUniform32Range", torch.empty(40).uniform_(-0.1, 0.3, generator=g))
    f64("kTorchUniform64Range", torch.empty(20, dtype=torch.float64).uniform_(-0.1, 0.3, generator=g))
    ints("kTorchRandint", torch.randint(-5, 1000, (20,), generator=g))
    ints("kTorchRandintWide", torch.randint(-(2**40), 2**50, (20,), generator=g))
    ints("kTorchBernoulli", torch.empty(40).bernoulli_(0.3, generator=g))
    ints("kTorchBernoulliTensor", torch.bernoulli(torch.full((40,), 0.3), generator=g))
    f64("kTorchExponential", torch.empty(20, dtype=torch.float64).exponential_(2.5, generator=g))
    # One generator: the spare normal of an odd count is used by the next small tensor.
    g = generator(11)
    f32("kTorchNormal5", torch.empty(5).normal_(0.25, 1.5, generator=g))
    f64("kTorchNormal64", torch.empty(6, dtype=torch.float64).normal_(0.25, 1.5, generator=g))
    f32("kTorchNormal16", torch.empty(16).normal_(generator=g))
    f32("kTorchNormal1003", torch.empty(1003).normal_(-0.02, 0.7, generator=g))
    ints("kTorchPermutation10Seed0", torch.randperm(10, generator=generator(0)))
    ints("kTorchPermutation10Seed42", torch.randperm(10, generator=generator(42)))
    ints("kTorchPermutation1000", torch.randperm(1000, generator=generator(2**40 + 3)))


def numpy_section():
    r = np.random.RandomState(3)
    f64("kNumpyRandom", r.random_sample(20))
    f64("kNumpyUniform", r.uniform(-0.1, 0.3, 20))
    ints("kNumpyRandint", r.randint(-5, 1000, 20))
    ints("kNumpyRandintInt32", r.randint(-5, 1000, 20, dtype=np.int32))
    ints("kNumpyRandintWide", r.randint(-(2**40), 2**50, 20))
    ints("kNumpyRandintFull32", r.randint(0, 2**32, 10))
    ints("kNumpyPermutation", r.permutation(100))
    ints("kNumpyChoice", r.choice(1000, 20, replace=False))
    shuffled = np.arange(10) * 3
    r.shuffle(shuffled)
    ints("kNumpyShuffle", shuffled)
    f64("kNumpyNormal", r.standard_normal(21))
    f64("kNumpyExponential", r.standard_exponential(10))
    for name, shape in (("Half", 0.5), ("One", 1.0), ("Three", 3.3)):
        f64(f"kNumpyGamma{name}", r.standard_gamma(shape, 12))
    for name, a, b in (("Small", 0.2, 0.4), ("Tiny", 0.001, 0.001), ("Large", 2.0, 0.7)):
        f64(f"kNumpyBeta{name}", r.beta(a, b, 12))
    ints("kNumpyPermutation10Seed0", np.random.RandomState(0).permutation(10))
    ints("kNumpyPermutation10Seed42", np.random.RandomState(42).permutation(10))


def python_section():
    r = random.Random(5)
    f64("kPythonRandom", [r.random() for _ in range(12)])
    f64("kPythonUniform", [r.uniform(-0.1, 0.3) for _ in range(12)])
    ints("kPythonRandint", [r.randint(-5, 1000) for _ in range(20)])
    ints("kPythonRandrange", [r.randrange(2**40 + 1) for _ in range(12)])
    ints("kPythonChoice", [r.choice(range(16)) for _ in range(12)])
    f64("kPythonGauss", [r.gauss(0.25, 1.5) for _ in range(13)])
    shuffled = [3 * i for i in range(10)]
    r.shuffle(shuffled)
    ints("kPythonShuffle", shuffled)
    f64("kPythonSeedWide", [random.Random(s).random() for s in (0, 1, 2**32, 2**63 + 17)])


print("// Made by scripts/oracle/rng.py; do not edit. Floating-point values as bits.")
print("// clang-format off")
torch_section()
numpy_section()
python_section()
