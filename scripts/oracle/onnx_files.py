#!/usr/bin/env python3
"""Makes tests/golden/onnx/: models as the package onnx writes them, and manifest.json with the SHA-256 of every
initializer as Python sees it. It needs onnx and ml_dtypes beside numpy, in an environment of their own: they are not
among requirements.txt."""
import hashlib
import json
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "onnx"
# ONNX's types that torch has too; all of them raw, and those that helper.make_tensor writes as lists also so.
TYPES = ("FLOAT UINT8 INT8 UINT16 INT16 INT32 INT64 BOOL FLOAT16 DOUBLE UINT32 UINT64 COMPLEX64 COMPLEX128 BFLOAT16 "
         "FLOAT8E4M3FN FLOAT8E4M3FNUZ FLOAT8E5M2 FLOAT8E5M2FNUZ").split()


def model(initializers, copies=()):
    """A model that adds nothing to its input; `copies`: names of initializers and further names for them."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    node = helper.make_node("Identity", ["x"], ["y"])
    nodes = [helper.make_node("Identity", [source], [name]) for source, name in copies] + [node]
    graph = helper.make_graph(nodes, "a graph", [x], [y], initializer=initializers)
    return helper.make_model(graph, producer_name="a test", producer_version="1.5")


def described(path):
    graph = onnx.load(path).graph
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:  # an initializer under another name
        if node.op_type == "Identity" and node.input[0] in arrays:
            arrays[node.output[0]] = arrays[node.input[0]]
    return [{"name": name, "dtype": array.dtype.name, "shape": list(array.shape),
             "sha256": hashlib.sha256(array.tobytes("C")).hexdigest()} for name, array in arrays.items()]


def main():
    FOLDER.mkdir(exist_ok=True)
    generator = np.random.default_rng(20261122)
    network = {"conv1.weight": generator.standard_normal((8, 3, 3, 3), dtype=np.float32),
               "bn1.running_var": generator.random(8, dtype=np.float32), "bn1.num_batches_tracked": np.asarray(7, np.int64),
               "fc.weight": generator.standard_normal((4, 8), dtype=np.float32), "none": np.zeros((0, 3), np.float32)}
    raw, listed = [], []
    for name in TYPES:
        kind = getattr(TensorProto, name)
        dtype = helper.tensor_dtype_to_np_dtype(kind)
        values = generator.integers(0, 2, (2, 3)) if name == "BOOL" else generator.integers(1, 120, (2, 3))
        array = values.astype(dtype)
        raw.append(helper.make_tensor(f"{name}.raw", kind, array.shape, array.tobytes(), raw=True))
        if not name.startswith("FLOAT8"):
            listed.append(helper.make_tensor(f"{name}.list", kind, array.shape, array.flatten().tolist()))
    signed = [helper.make_tensor("negative.int8", TensorProto.INT8, [3], [-1, -128, 127]),
              helper.make_tensor("negative.int64", TensorProto.INT64, [2], [-1, -(1 << 63)]),
              helper.make_tensor("large.uint64", TensorProto.UINT64, [1], [(1 << 64) - 1])]
    initializers = [numpy_helper.from_array(array, name) for name, array in network.items()]
    files = {"network": model(initializers),
             "types": model(raw + listed + signed),
             "shared": model(initializers, [("bn1.running_var", "bn2.running_var"), ("bn2.running_var", "bn3.running_var")])}
    for name, made in files.items():
        onnx.save(made, FOLDER / f"{name}.onnx")
    (FOLDER / "beside.data").unlink(missing_ok=True)  # onnx appends to it
    onnx.save(model(initializers), FOLDER / "beside.onnx", save_as_external_data=True, location="beside.data", size_threshold=64)
    manifest = [{"file": f"{name}.onnx", "tensors": described(FOLDER / f"{name}.onnx")} for name in (*files, "beside")]
    (FOLDER / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    main()
