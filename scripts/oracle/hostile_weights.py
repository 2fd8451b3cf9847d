#!/usr/bin/env python3
"""Makes the files of tests/fuzz/corpus/ that have names: small ones that attack a reader of weights, one folder for each fuzz
target, which also seed the fuzzing. tests/fuzz/hostile_test.cpp says what must come of each. Needs Python alone.
"""
import gzip
import io
import pathlib
import struct
import tarfile
import warnings
import zipfile
import zlib

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "tests" / "fuzz" / "corpus"
warnings.simplefilter("ignore")


def put(target, name, data):
    folder = FOLDER / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


# ---- pickles by hand


def text(value):
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def number(value):
    return b"\x8a\x08" + struct.pack("<q", value)


def numbers(*values):
    return b"(" + b"".join(map(number, values)) + b"t"


def storage(numel, kind="FloatStorage", key="0", view=b""):
    return b"(" + text("storage") + b"ctorch\n" + kind.encode() + b"\n" + text(key) + text("cpu") + number(numel) + view + b"tQ"


def tensor(size, stride, offset=0, numel=4, kind="FloatStorage", view=b""):
    return (b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage(numel, kind, view=view) + number(offset) + numbers(*size)
            + numbers(*stride) + b"\x89ccollections\nOrderedDict\n)RtR")


def pickled(value):
    return b"\x80\x02}" + text("w") + value + b"s."


# ---- zip files


def torch_zip(pickle, data=b"\0" * 16, method=zipfile.ZIP_STORED, data_method=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        target.writestr(zipfile.ZipInfo("a/data.pkl"), pickle, method, 9)
        target.writestr(zipfile.ZipInfo("a/data/0"), data, data_method, 9)
        target.writestr(zipfile.ZipInfo("a/version"), "3\n")
    return buffer.getvalue()


def entry(name, data, offset, local_name=None, size=None, flags=0, extra=b"", method=0):
    """Local part and directory part of one entry that stands at `offset`."""
    local_name = name if local_name is None else local_name
    size = len(data) if size is None else size
    crc = zlib.crc32(data)
    facts = struct.pack("<HHHHHIII", 20, flags, method, 0, 33, crc, len(data), size)
    local = b"PK\3\4" + facts + struct.pack("<HH", len(local_name), 0) + local_name.encode() + data
    wide = 0xffffffff if extra else None
    facts = struct.pack("<HHHHHIII", 20, flags, method, 0, 33, crc, wide or len(data), wide or size)
    central = b"PK\1\2\x14\0" + facts + struct.pack("<HHHHHII", len(name), len(extra), 0, 0, 0, 0, offset)
    return local, central + name.encode() + extra


def zip_of(locals_, centrals):
    body, directory = b"".join(locals_), b"".join(centrals)
    return body + directory + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, len(centrals), len(centrals), len(directory),
                                                       len(body), 0)


def zips():
    good = pickled(tensor([4], [1]))
    put("zip", "good.pth", torch_zip(good))
    put("zip", "code.pth", torch_zip(b"\x80\x02}" + text("w") + tensor([4], [1]) + b"s" + text("x")
                                     + b"cos\nsystem\n" + text("touch owned") + b"\x85Rs" + text("y")
                                     + b"c__builtin__\neval\n" + text("1") + b"\x85Rs."))
    put("zip", "bomb.pth", torch_zip(pickled(tensor([5 << 20], [1], numel=5 << 20)), b"\0" * (20 << 20),
                                     data_method=zipfile.ZIP_DEFLATED))
    deflated = zlib.compress(b"\1" * 400, 9)[2:-4]
    a, a_dir = entry("a/data.pkl", good, 0)
    b, b_dir = entry("a/data/0", deflated, len(a), size=16, method=8)
    c, c_dir = entry("a/version", b"3\n", len(a) + len(b))
    put("zip", "lying_size.pth", zip_of([a, b, c], [a_dir, b_dir, c_dir]))

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for _ in range(2):
            target.writestr(zipfile.ZipInfo("a/data.pkl"), good)
    put("zip", "duplicate.pth", buffer.getvalue())
    inner, _ = entry("a/data/0", b"\0" * 16, 0)
    outer, outer_dir = entry("a/data.pkl", good + inner, 0)
    _, inner_dir = entry("a/data/0", b"\0" * 16, len(outer) - len(inner))
    put("zip", "overlap.pth", zip_of([outer], [outer_dir, inner_dir]))
    a, a_dir = entry("a/data.pkl", good, 0, local_name="a/datb.pkl")
    put("zip", "renamed.pth", zip_of([a], [a_dir]))
    put("zip", "hidden_prefix.pth", b"#!/bin/sh\necho owned\n" + torch_zip(good))
    a, a_dir = entry("a/data.pkl", good, 0, extra=struct.pack("<HHQQ", 1, 16, 2 ** 64 - 16, 2 ** 64 - 16))
    put("zip", "huge_sizes.pth", zip_of([a], [a_dir]))
    a, a_dir = entry("a/../../data.pkl", good, 0)
    put("zip", "traversal.pth", zip_of([a], [a_dir]))
    a, a_dir = entry("a/data.pkl", good, 0, flags=1)
    put("zip", "encrypted.pth", zip_of([a], [a_dir]))
    a, a_dir = entry("a/data.pkl", good, 0)
    whole = zip_of([a], [a_dir])
    put("zip", "many_entries.pth", whole[:-14] + struct.pack("<HH", 60000, 60000) + whole[-10:])
    put("zip", "claims_more.pth", torch_zip(pickled(tensor([4], [1], numel=10 ** 15))))
    put("zip", "beyond.pth", torch_zip(pickled(tensor([4], [1], offset=1))))
    put("zip", "negative_stride.pth", torch_zip(pickled(tensor([2], [-1], offset=3))))
    put("zip", "shape_overflow.pth", torch_zip(pickled(tensor([2 ** 32, 2 ** 32], [0, 0]))))
    put("zip", "expanded.pth", torch_zip(pickled(tensor([10 ** 12], [0]))))
    put("zip", "nested.pth", torch_zip(b"\x80\x02)" + b"\x85" * 200000 + b".", method=zipfile.ZIP_DEFLATED))

    def longs(whole, offset, shape, strides):
        return (b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage(whole, "LongStorage") + number(offset) + numbers(*shape)
                + numbers(*strides) + b"\x89ccollections\nOrderedDict\n)RtR")

    def floats(count):
        return tensor([count], [1]).replace(text("0"), text("1"))

    def sparse(layout, parts, *size):
        layout = b"ctorch.serialization\n_get_layout\n" + text("torch.sparse_" + layout) + b"\x85R"
        return pickled(b"ctorch._utils\n_rebuild_sparse_tensor\n(" + layout + b"(" + parts + numbers(*size) + b"\x89ttR")

    def sparse_zip(pickle, *indices):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as target:
            target.writestr(zipfile.ZipInfo("a/data.pkl"), pickle)
            target.writestr(zipfile.ZipInfo("a/data/0"), struct.pack(f"<{len(indices)}q", *indices))
            target.writestr(zipfile.ZipInfo("a/data/1"), b"\0" * 16)
            target.writestr(zipfile.ZipInfo("a/version"), "3\n")
        return buffer.getvalue()

    coo = longs(2, 0, [1, 1], [1, 1]) + floats(1)
    put("zip", "sparse_huge.pth", sparse_zip(sparse("coo", coo, 10 ** 12), 0, 0))
    put("zip", "sparse_index.pth", sparse_zip(sparse("coo", coo, 4), 4, 0))
    csr = longs(5, 0, [3], [1]) + longs(5, 3, [2], [1]) + floats(2)
    put("zip", "sparse_offsets.pth", sparse_zip(sparse("csr", csr, 2, 10 ** 7), 0, 10 ** 6, 2, 0, 1))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name in ("version", "tensors/0", "model.json"):
            target.writestr(zipfile.ZipInfo("a/" + name), "1\n")
    put("zip", "old_program.pt", buffer.getvalue())
    quantized = (b"ctorch._utils\n_rebuild_qtensor\n(" + storage(16, "QInt8Storage") + number(0) + numbers(10 ** 12)
                 + numbers(0) + b"(ctorch\nper_tensor_affine\nG" + struct.pack(">d", 0.5) + number(0) + b"t"
                 + b"\x89ccollections\nOrderedDict\n)RtR")
    put("zip", "quantized_expanded.pth", torch_zip(pickled(quantized)))
    put("zip", "wrong_crc.pth", torch_zip(good).replace(text("w"), text("v"), 1))
    put("zip", "array.npz", npz(header("<f4", "(4611686018427387904, 16)")))
    put("zip", "good.npz", npz(header("<f4", "(2,)") + b"\0" * 8))


def npz(array):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr(zipfile.ZipInfo("x.npy"), array)
    return buffer.getvalue()


def header(descr, shape):
    """Of version 1, from the magic to the elements."""
    out = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}}}\n".encode()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(out)) + out


# ---- the other formats


def pickles():
    laughs = b"\x80\x02]q\0" + b"0](h\0h\0eq\0" * 100 + b"."
    put("pickle", "laughs.pkl", laughs)
    put("pickle", "huge_memo.pkl", b"\x80\x02Nr\xff\xff\xff\xff.")
    put("pickle", "huge_text.pkl", b"\x80\x02X\xf0\xff\xff\xff")
    put("pickle", "itself.pkl", b"\x80\x02]q\0h\0a.")
    put("pickle", "extension.pkl", b"\x80\x02\x82\x01.")
    put("pickle", "storage.pkl", pickled(tensor([4], [1])))
    put("pickle", "text.pkl", b"(dp0\nS'a\\x41'\nI01\nsVb\\u00e9\nL-7L\nsS'l'\n(lp2\nF1.5\nasS'o'\n(imodule\nName\nsg2\n0.")
    array = (b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n" + numbers(0) + b"U\1b\x87R("
             + number(1) + b"%scnumpy\ndtype\nU\2f4" + number(0) + number(1) + b"\x87R(" + number(3)
             + b"U\1<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xff" + number(0) + b"tb\x89U\x08" + b"\0" * 8 + b"tb.")
    put("pickle", "nested_storages.pkl", nested(50))
    put("pickle", "array.pkl", array % numbers(2))
    put("pickle", "array_shape.pkl", array % numbers(2 ** 62, 4))


def nested(levels):
    """A storage pickled inside a storage, inside ..."""
    body = pickled(tensor([4], [1]))
    for _ in range(levels):
        stream = MAGIC + SYSTEM + body + b"\x80\x02]."
        inner = b"ctorch.storage\n_load_from_bytes\nB" + struct.pack("<I", len(stream)) + stream + b"\x85R"
        body = pickled(tensor([4], [1]).replace(storage(4), inner))
    return body


MAGIC = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
SYSTEM = b"\x80\x02M\xe9\x03.\x80\x02}" + text("little_endian") + b"\x88s."


def legacy():
    keys = b"\x80\x02]" + text("0") + b"a."
    data = struct.pack("<q", 4) + b"\0" * 16
    start = MAGIC + SYSTEM
    put("legacy", "good.pth", start + pickled(tensor([4], [1])) + keys + data)
    put("legacy", "truncated.pth", start + pickled(tensor([4], [1])) + keys + data[:-4])
    put("legacy", "no_storages.pth", start + pickled(tensor([4], [1])) + keys)
    put("legacy", "huge_count.pth", start + pickled(tensor([4], [1])) + keys + struct.pack("<q", 2 ** 62) + data[8:])
    put("legacy", "claims_more.pth", start + pickled(tensor([8], [1], numel=8)) + keys + data)
    put("legacy", "twice.pth", start + pickled(tensor([4], [1])) + b"\x80\x02](" + 2 * text("0") + b"e." + 2 * data)
    view = b"(" + text("1") + number(3) + number(2) + b"t"
    put("legacy", "view_beyond.pth", start + pickled(tensor([2], [1], view=view)) + keys + data)
    put("legacy", "no_list.pth", start + pickled(tensor([4], [1])) + b"N." + data)
    put("legacy", "protocol.pth", MAGIC + SYSTEM.replace(b"\xe9\x03", b"\xea\x03") + pickled(b"N") + keys)


def tar_of(members, edit=None):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as target:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            if edit:
                edit(info)
            target.addfile(info, io.BytesIO(data))
    return buffer.getvalue().rstrip(b"\0") + b"\0" * 1024


def tars():
    def facts(key, kind, *more):
        return b"\x80\x02(" + text(key) + b"".join(more) + b"ctorch\n" + kind.encode() + b"\nt."

    def members(count=1, numel=4, size=4, stride=1):
        storages = b"\x80\x02" + number(count) + b"." + facts("1", "FloatStorage", text("cpu")) + struct.pack(
            "<q", numel) + b"\0" * 16 + b"\x80\x02]."
        tensors = b"\x80\x02K\1." + facts("2", "FloatTensor", text("1")) + struct.pack("<i4xqqq", 1, size, stride, 0)
        return [("sys_info", b"\x80\x02}" + text("little_endian") + b"\x88s."), ("pickle", b"\x80\x02}" + text("w")
                + text("2") + b"Qs."), ("tensors", tensors), ("storages", storages)]

    put("tar", "good.tar", tar_of(members()))
    put("tar", "beyond.tar", tar_of(members(stride=2)))
    put("tar", "huge_count.tar", tar_of(members(count=2 ** 62)))
    put("tar", "huge_storage.tar", tar_of(members(numel=2 ** 62)))
    put("tar", "other.tar", tar_of([("../../etc/passwd", b"x")]))

    def link(info):
        info.type, info.linkname, info.size = tarfile.SYMTYPE, "/etc/passwd", 0
    put("tar", "link.tar", tar_of([("pickle", b"")], link))
    whole = bytearray(tar_of(members()))
    whole[124:136] = b"\x80" + b"\xff" * 11
    whole[148:156] = b" " * 8
    whole[148:156] = b"%06o\0 " % sum(whole[:512])
    put("tar", "wide_size.tar", bytes(whole))
    put("tar", "truncated.tar", tar_of(members())[:2600])


def others():
    def safe(header, data=b"\0" * 8):
        return struct.pack("<Q", len(header)) + header + data

    one = b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
    put("safetensors", "good.safetensors", safe(one))
    put("safetensors", "metadata.safetensors", safe(b'{"__metadata__":{"format":"pt"},' + one[1:]))
    put("safetensors", "huge_header.safetensors", struct.pack("<Q", 2 ** 63) + one)
    put("safetensors", "deep.safetensors", safe(b'{"a":' + b"[" * 5000))
    put("safetensors", "hole.safetensors", safe(one.replace(b"[0,8]", b"[4,8]").replace(b"[2]", b"[1]")))
    put("safetensors", "overflow.safetensors", safe(one.replace(b"[2]", b"[9223372036854775807,9223372036854775807]")))
    put("npy", "good.npy", header("<f4", "(2,)") + b"\0" * 8)
    put("npy", "overflow.npy", header("<f4", "(4611686018427387904, 16)"))
    put("npy", "truncated.npy", header("<f8", "(2,)") + b"\0" * 8)
    put("npy", "long_header.npy", b"\x93NUMPY\2\0" + struct.pack("<I", 2 ** 32 - 1) + header("<f4", "(2,)")[10:])
    put("npy", "objects.npy", header("|O", "()") + b"\x80\x02}.")


def gzips():
    good = gzip.compress(torch_zip(pickled(tensor([4], [1]))), mtime=0)
    put("gzip", "good.pth.gz", good)
    put("gzip", "members.pth.gz", gzip.compress(b"", mtime=0) + good)
    put("gzip", "cut.pth.gz", good[:-9])
    put("gzip", "checksum.pth.gz", good[:-6] + bytes([good[-6] ^ 1]) + good[-5:])
    put("gzip", "trailer.pth.gz", good + b"more")
    put("gzip", "twice.pth.gz", gzip.compress(good, mtime=0))
    put("gzip", "bomb.pth.gz", gzip.compress(b"\0" * (20 << 20), mtime=0))


def main():
    gzips()
    zips()
    pickles()
    legacy()
    tars()
    others()
    files = [path for path in FOLDER.rglob("*") if path.is_file()]
    print(f"{len(files)} files, {sum(path.stat().st_size for path in files)} bytes")


if __name__ == "__main__":
    main()
