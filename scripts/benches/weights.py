"""Files of pretrained weights, loaded with every byte touched, beside torch.load and the safetensors package, and inspect beside
torch.load(mmap=True). The files are in the page cache."""
from .harness import BenchError, Measure

TENSORS = 160
# MiB, ending, and whether the tensors are new, those of a model that is there, or stay in the mapped file; from Python's
# mapped file into a model is one way more, and ours is the same for both
FILES = {
    "weights_100": (100, "pth", "copied"),
    "weights_800": (800, "pth", "copied"),
    "weights_800_model": (800, "pth", "into"),
    "weights_800_model_mmap": (800, "pth", "into_mapped"),
    "weights_800_mapped": (800, "pth", "mapped"),
    "weights_800_safetensors": (800, "safetensors", "mapped"),  # as the package does it
}


def made(bench, mib, ending):
    mib = 4 if bench.small else mib
    file = bench.cache / f"weights_{mib}.{ending}"
    if not file.exists():
        bench.child(bench.peer("weights", "make", file, TENSORS, mib))
    return file


def load(bench, name):
    mib, ending, kind = FILES[name]
    file = made(bench, mib, ending)
    ours = bench.program("weights_bench", kind.removesuffix("_mapped"), file)
    peer = bench.peer("weights", kind, file)
    sums = {side: bench.json_child(command)[0]["sum"] for side, command in (("ours", ours), ("peer", peer))}
    if sums["ours"] != sums["peer"]:
        raise BenchError(f"the bytes differ: {sums}")

    def side(command):
        def measure():
            result, child = bench.json_child(command, memory=True)
            return Measure(result["load_s"], child.cpu_s, child.memory_mb)

        return measure

    bench.paired(name, "s", "lower", side(ours), side(peer), {"ours": ours, "peer": peer}, {"sum": sums["ours"]})


def inspect(bench, name):
    file = made(bench, 800, "pth")
    ours, peer = bench.host("inspect", file, "--json"), bench.peer("weights_list", file)
    same = {}
    text, _ = bench.json_child(ours)
    other, _ = bench.json_child(peer)
    if text["tensors"] != other["tensors"]:
        raise BenchError("the lists differ")
    same["tensors_compared"] = len(other["tensors"])

    def side(command):
        def measure():
            child = bench.child(command, memory=True)[1]
            return Measure(1000 * child.value, child.cpu_s, child.memory_mb)

        return measure

    bench.paired(name, "ms", "lower", side(ours), side(peer), {"ours": ours, "peer": peer}, same)


FIGURES = {**{name: load for name in FILES}, "weights_inspect": inspect}
