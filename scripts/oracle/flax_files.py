#!/usr/bin/env python3
"""Makes tests/golden/flax_msgpack/: files of weights as flax.serialization writes them, and manifest.json with the
SHA-256 of every array as Python sees it. It needs flax, jax and ml_dtypes beside numpy (pip install flax), in an environment
of their own: they are not among requirements.txt."""
import hashlib
import json
import pathlib

import flax.serialization as serialization
import jax.numpy as jnp
import ml_dtypes
import numpy as np

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "flax_msgpack"
TYPES = ("float32 float16 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool complex64 complex128").split()


def leaves(tree, name=""):
    """Dotted names and arrays, in the tree's order."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from leaves(value, f"{name}.{key}" if name else str(key))
    elif isinstance(tree, (list, tuple)):
        for index, value in enumerate(tree):
            yield from leaves(value, f"{name}.{index}" if name else str(index))
    elif hasattr(tree, "dtype"):
        yield name, np.asarray(tree)


def described(tree):
    return [{"name": name, "dtype": array.dtype.name, "shape": list(array.shape),
             "sha256": hashlib.sha256(array.tobytes("C")).hexdigest()} for name, array in leaves(tree)]


def network(generator):
    """Names and layouts of a small Flax ResNet: kernels are (height, width, in, out)."""
    def normal(*shape):
        return jnp.asarray(generator.standard_normal(shape, dtype=np.float32))
    block = {"conv": {"kernel": normal(3, 3, 8, 8)}, "bn": {"scale": normal(8), "bias": normal(8)}}
    return {"params": {"embedder": {"kernel": normal(3, 3, 3, 8)}, "encoder": {"0": block, "1": block}},
            "batch_stats": {"bn": {"mean": normal(8), "var": normal(8)}}}


def chunked(tree):
    """Pieces of few bytes instead of 2**30, as flax makes them of a large array."""
    whole = serialization.MAX_CHUNK_SIZE
    serialization.MAX_CHUNK_SIZE = 64
    try:
        return serialization.msgpack_serialize(tree)
    finally:
        serialization.MAX_CHUNK_SIZE = whole


def main():
    FOLDER.mkdir(exist_ok=True)
    generator = np.random.default_rng(20261122)
    network_tree = network(generator)
    types = {name: generator.integers(0, 2, (2, 3)).astype(name) for name in TYPES}
    types["bfloat16"] = jnp.asarray(generator.standard_normal((2, 3)), dtype=jnp.bfloat16)
    for name in ("float8_e5m2", "float8_e4m3fn"):
        types[name] = generator.standard_normal((2, 3)).astype(getattr(ml_dtypes, name))
    layouts = {"scalar": np.float32(1.5), "nothing": np.zeros((0, 4), np.float32), "array_of_one": np.ones((), np.int64),
               "transposed": np.arange(12, dtype=np.int32).reshape(3, 4).T, "deep": np.zeros((1,) * 8, np.uint8),
               "a.b": {"c/d": np.ones(2, np.float16)}, "größe": np.ones(3, np.int8)}
    state = {"step": 7, "rate": 0.5, "name": "a run", "none": None, "flag": True, "imaginary": 1 + 2j, "raw": b"\0\1",
             "params": {"w": np.arange(300, dtype=np.uint16)}, "opt_state": {"0": {"count": np.asarray(7)}, "1": {}}}
    chunks = {"first": np.arange(5, dtype=np.float32), "large": np.arange(42, dtype=np.float32).reshape(2, 3, 7),
              "last": np.arange(40, dtype=np.float64)}
    files = {"network": (network_tree, serialization.to_bytes), "types": (types, serialization.msgpack_serialize),
             "layouts": (layouts, serialization.msgpack_serialize), "state": (state, serialization.msgpack_serialize),
             "chunks": (chunks, chunked)}
    manifest = []
    for name, (tree, write) in files.items():
        data = write(tree)
        (FOLDER / f"{name}.msgpack").write_bytes(data)
        restored = serialization.msgpack_restore(data)  # its keys have the file's order
        assert dict(leaves(restored)).keys() == dict(leaves(tree)).keys(), name
        for leaf, array in leaves(tree):
            assert dict(leaves(restored))[leaf].tobytes() == array.tobytes("C"), leaf
        manifest.append({"file": f"{name}.msgpack", "tensors": described(restored)})
    (FOLDER / "manifest.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
