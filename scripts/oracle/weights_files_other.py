"""Cases of weights_files.py: the formats before torch's zip, numpy's, safetensors, VISSL's sets of files."""
import collections
import hashlib
import io
import json
import pickle
import struct
import tarfile
import zipfile

import numpy
import torch

from weights_files_base import arrays, case, model, new_types, numbers, plain_types, training, views
from weights_files_source import with_stand_in_source


# ---- the stream before release 1.6


@case("torch_legacy", ".pth")
def legacy_training(path):
    torch.save(training(), path, _use_new_zipfile_serialization=False)
    return training()


@case("torch_legacy", ".pth")
def legacy_views(path):
    torch.save(views(), path, _use_new_zipfile_serialization=False)
    return views()


@case("torch_legacy", ".pth")
def legacy_types(path):
    tree = {**plain_types(), **new_types()}
    torch.save(tree, path, _use_new_zipfile_serialization=False)
    return tree


@case("torch_legacy", ".pth")
def legacy_module(path):
    """Saves a class together with its source text; another text stands here for torch's own."""
    net = model()
    with_stand_in_source()
    torch.save(net, path, _use_new_zipfile_serialization=False)
    return net


for _protocol in (3, 4):
    @case("torch_legacy", f"_{_protocol}.pth")
    def legacy_protocol(path, protocol=_protocol):
        torch.save(training(), path, _use_new_zipfile_serialization=False, pickle_protocol=protocol)
        return training()


@case("torch_legacy", ".pth")
def legacy_big_endian(path):
    """As a big-endian machine writes it, with a storage that is a window into another."""
    floats, ints = numpy.arange(8, dtype=numpy.float32), numpy.arange(3, dtype=numpy.int64)

    class Storage:
        def __init__(self, kind, key, numel, view=None):
            self.id = ("storage", kind, key, "cpu", numel, view)

    class Tensor:
        def __init__(self, storage, offset, size, stride):
            self.args = (storage, offset, size, stride, False, collections.OrderedDict())

        def __reduce__(self):
            return torch._utils._rebuild_tensor_v2, self.args

    class Pickler(pickle.Pickler):
        def persistent_id(self, obj):
            return obj.id if isinstance(obj, Storage) else None

    def put(obj):
        buffer = io.BytesIO()
        Pickler(buffer, protocol=2).dump(obj)
        return buffer.getvalue()

    window = Storage(torch.FloatStorage, "11", 8, ("12", 2, 4))
    tree = collections.OrderedDict(
        whole=Tensor(Storage(torch.FloatStorage, "11", 8), 0, (2, 4), (4, 1)), window=Tensor(window, 1, (3,), (1,)),
        ints=Tensor(Storage(torch.LongStorage, "13", 3), 0, (3,), (1,)))
    out = put(0x1950A86A20F9469CFC6C) + put(1001)
    out += put({"protocol_version": 1001, "little_endian": False, "type_sizes": {"short": 2, "int": 4, "long": 8}})
    out += put(tree) + put(["11", "13"])
    out += struct.pack(">q", 8) + floats.astype(">f4").tobytes() + struct.pack(">q", 3) + ints.astype(">i8").tobytes()
    path.write_bytes(out)
    return {"whole": floats.reshape(2, 4), "window": floats[3:6], "ints": ints}


@case("torch_legacy", ".pth.zip")
def legacy_zipped(path):
    buffer = io.BytesIO()
    torch.save(views(), buffer, _use_new_zipfile_serialization=False)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("weights.pth", buffer.getvalue())
    return views()


# ---- the tar format of release 0.1.10 and before


@case("torch_tar", ".pth.tar")
def tar_state_dict(path):
    """Written here as that release did: members sys_info, pickle, tensors, storages."""
    floats, longs = numpy.arange(12, dtype="<f4"), numpy.arange(4, dtype="<i8")

    class Named:
        def __init__(self, key):
            self.key = key

    class Pickler(pickle.Pickler):
        def persistent_id(self, obj):
            return obj.key if isinstance(obj, Named) else None

    def put(obj):
        buffer = io.BytesIO()
        Pickler(buffer, protocol=2).dump(obj)
        return buffer.getvalue()

    def tensor(key, storage, kind, size, stride, offset):
        head = put((key, storage, kind)) + struct.pack("<i4x", len(size))
        return head + struct.pack(f"<{2 * len(size) + 1}q", *size, *stride, offset)

    storages = put(2) + put(("100", "cpu", torch.FloatStorage)) + struct.pack("<q", 12) + floats.tobytes()
    storages += put(("200", "cuda:0", torch.LongStorage)) + struct.pack("<q", 4) + longs.tobytes()
    storages += put([("101", "100", 4, 6)])
    tensors = put(3) + tensor("1", "100", torch.FloatTensor, (3, 4), (1, 3), 0)
    tensors += tensor("2", "101", torch.FloatTensor, (2, 2), (2, 1), 2)
    tensors += tensor("3", "200", torch.LongTensor, (4,), (1,), 0)
    tree = collections.OrderedDict([("layer.weight", Named("1")), ("layer.window", Named("2")), ("steps", Named("3"))])
    members = {"sys_info": put({"protocol_version": 1000, "little_endian": True, "type_sizes": {}}),
               "pickle": put({"state_dict": tree, "epoch": 90}), "tensors": tensors, "storages": storages}
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as target:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            target.addfile(info, io.BytesIO(data))
    return {"state_dict": {"layer.weight": floats.reshape(4, 3).T, "layer.window": floats[6:10].reshape(2, 2),
                           "steps": longs}}


# ---- numpy's files and pickles


for _protocol in range(6):
    @case("pickle", f"_{_protocol}.pkl")
    def numpy_protocol(path, protocol=_protocol):
        path.write_bytes(pickle.dumps(arrays(), protocol=protocol))
        return arrays()


for _protocol in (2, 4):
    @case("pickle", f"_{_protocol}.pkl")
    def pickled_tensors(path, protocol=_protocol):
        """Tensors through pickle.dump rather than torch.save."""
        tree = {"model": {**views(), "half": numbers(torch.bfloat16, 3)}, "storage": numbers(torch.int32, 4)}
        path.write_bytes(pickle.dumps(tree, protocol=protocol))
        return tree


class Python2Pickler(pickle._Pickler):
    """Writes text and bytes as Python 2's str."""
    dispatch = dict(pickle._Pickler.dispatch)

    def save_text(self, obj):
        data = obj if isinstance(obj, bytes) else obj.encode("latin1")
        if not self.bin:
            self.write(b"S" + repr(data)[1:].encode() + b"\n")
        elif len(data) < 256:
            self.write(b"U" + bytes([len(data)]) + data)
        else:
            self.write(b"T" + struct.pack("<i", len(data)) + data)
        self.memoize(obj)

    dispatch[str] = save_text
    dispatch[bytes] = save_text


for _protocol in (0, 1, 2):
    @case("pickle", f"_{_protocol}.pkl")
    def numpy_python2(path, protocol=_protocol):
        buffer = io.BytesIO()
        Python2Pickler(buffer, protocol=protocol, fix_imports=True).dump(arrays())
        path.write_bytes(buffer.getvalue().replace(b"numpy._core.multiarray", b"numpy.core.multiarray"))
        return arrays()


@case("npy", ".npy")
def numpy_array(path):
    array = numpy.arange(6, dtype=">f4").reshape(2, 3)
    numpy.save(path, array)
    return array


@case("npy", ".npy")
def numpy_dict(path):
    numpy.save(path, {"data": arrays()["blobs"]}, allow_pickle=True)
    return {"data": arrays()["blobs"]}


def named_arrays():
    return {"Transformer/encoderblock_0/kernel": numpy.arange(6, dtype=numpy.float32).reshape(2, 3),
            "big": numpy.arange(3, dtype=">f8"), "fortran": numpy.asfortranarray(numpy.ones((2, 3), numpy.float16)),
            "empty": numpy.zeros((0, 3), numpy.int32), "text": numpy.array(["a"]), "scalar": numpy.array(2)}


@case("npz", ".npz")
def numpy_stored(path):
    numpy.savez(path, **named_arrays())
    return named_arrays()


@case("npz", ".npz")
def numpy_compressed(path):
    numpy.savez_compressed(path, **named_arrays())
    return named_arrays()


# ---- safetensors and indexed sets of files


@case("safetensors", ".safetensors")
def safetensors_types(path):
    from safetensors.torch import save_file
    tree = {**plain_types(), **new_types()}
    for name in ("complex128", "complex32", "float8_e8m0fnu", "float4_e2m1fn_x2"):
        del tree[name]
    tree["scalar"], tree["empty"] = torch.tensor(3.0), torch.zeros(0, 3)
    save_file(tree, path, metadata={"format": "pt", "note": "a \"quoted\" Gr\u00fc\u00dfe"})
    from safetensors.torch import load_file
    return load_file(path)


@case("safetensors_index", ".index.json")
def shards_model_safetensors(path):
    from safetensors.torch import save_file
    parts = [{"a.weight": numbers(torch.float32, 2, 3)}, {"b.weight": numbers(torch.int64, 4), "b.bias": numbers(
        torch.float16, 2)}]
    index = {}
    for i, part in enumerate(parts):
        name = f"shards_part-{i + 1:05}-of-00002.safetensors"
        save_file(part, path.parent / name)
        index.update({key: name for key in part})
    path.write_text(json.dumps({"metadata": {"total_size": 60}, "weight_map": index}))
    return {**parts[0], **parts[1]}


@case("torch_index", ".index.json")
def shards_pytorch_model_bin(path):
    parts = [{"a.weight": numbers(torch.float32, 2, 3)}, {"b.weight": numbers(torch.int64, 4)}]
    index = {}
    for i, part in enumerate(parts):
        name = f"shards_part-{i + 1:05}-of-00002.bin"
        torch.save(part, path.parent / name)
        index.update({key: name for key in part})
    path.write_text(json.dumps({"metadata": {}, "weight_map": index}))
    return {**parts[0], **parts[1]}


# ---- VISSL's checkpoints of several files


def flat_shards(named, world):
    """The parameters in one flat vector, cut into equal parts of which the last is padded; and each part's facts."""
    flat = torch.cat([tensor.reshape(-1) for tensor in named.values()])
    part = -(-flat.numel() // world)
    shards = []
    for rank in range(world):
        data = flat[rank * part:(rank + 1) * part]
        padding = part - data.numel()
        facts = {"names": list(named), "shapes": [tensor.shape for tensor in named.values()],
                 "numels": [tensor.numel() for tensor in named.values()], "padding": padding}
        shards.append((torch.cat([data, torch.zeros(padding)]), facts))
    return shards


def vissl_model():
    outer = {"conv.weight": numbers(torch.float32, 2, 3), "conv.bias": numbers(torch.float32, 2)}
    inner = {"_fpw_module.weight": numbers(torch.float32, 3, 3) + 1}
    head = {"clf.weight": numbers(torch.float32, 5)}
    return outer, inner, head


@case("vissl_shard_list", ".torch")
def vissl_shards(path):
    outer, inner, head = vissl_model()
    flats = [flat_shards(group, 2) for group in (outer, inner, head)]
    for rank in range(2):
        (a, a_facts), (b, b_facts), (c, c_facts) = (shards[rank] for shards in flats)
        trunk = {"flat_param_0": a, "_fpw_module.block.flat_param_0": b, "_fpw_module.bn.running_mean": numbers(
            torch.float32, 3)}
        meta = {"param_metadata": [
            {"fsdp_path": "", "params": {"flat_param_0": a_facts}, "shared_param_info": [], "is_sharded": True},
            {"fsdp_path": "_fpw_module.block", "params": {"flat_param_0": b_facts}, "is_sharded": True,
             "shared_param_info": [("_fpw_module.weight", "_fpw_module.tied")]}],
            "buffer_names": ["_fpw_module.bn.running_mean"]}
        heads = [{"flat_param_0": c}, {"plain": numbers(torch.int64, 2)}]
        head_meta = [{"param_metadata": [{"fsdp_path": "", "params": {"flat_param_0": c_facts},
                                          "shared_param_info": []}], "buffer_names": []}, None]
        torch.save({"type": "shard", "classy_state_dict": {"base_model": {
            "model": {"trunk": trunk, "heads": heads}, "meta": {"trunk": meta, "heads": head_meta}}}},
            path.parent / f"vissl_shards_shard{rank}.torch")
    torch.save({"type": "shard_list", "shards": [f"/gone/run/vissl_shards_shard{rank}.torch" for rank in range(2)]},
               path)
    trunk = {**outer, "block.weight": inner["_fpw_module.weight"], "block.tied": inner["_fpw_module.weight"],
             "bn.running_mean": numbers(torch.float32, 3)}
    return {"classy_state_dict": {"base_model": {"model": {"trunk": trunk, "heads": {
        "0.clf.weight": head["clf.weight"], "1.plain": numbers(torch.int64, 2)}}}}}


@case("vissl_slice_list", ".torch")
def vissl_slices(path):
    outer, _, head = vissl_model()
    folder = path.parent / "vissl_slices_layers"
    folder.mkdir(exist_ok=True)

    def sliced(named):
        paths = {}
        for name, tensor in named.items():
            file = hashlib.sha1(name.encode()).hexdigest() + ".torch"
            torch.save({"type": "slice", "weight": tensor}, folder / file)
            paths["_fsdp_wrapped_module." + name] = f"/gone/run/vissl_slices_layers/{file}"
        return paths

    torch.save({"type": "slice_list", "classy_state_dict": {"base_model": {"model": {
        "trunk": sliced(outer), "heads": sliced({"0.clf.weight": head["clf.weight"]})}}}}, path)
    return {"classy_state_dict": {"base_model": {"model": {"trunk": outer, "heads": {
        "0.clf.weight": head["clf.weight"]}}}}}
