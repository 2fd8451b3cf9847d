"""A state dict of 800 MB written durably (to a temporary name, fsync, rename) and read back, beside torch.save and torch.load."""
from .harness import Measure

TENSORS = 160


def run(bench, name):
    mib = 16 if bench.small else 800
    ours_file, peer_file = bench.work / "ours.torch", bench.work / "peer.torch"
    ours = bench.program("checkpoint_bench", ours_file, TENSORS, mib)
    peer = bench.peer("checkpoint", peer_file, TENSORS, mib)
    bench.child(ours)
    same, _ = bench.json_child(bench.peer("checkpoint", "verify", ours_file, TENSORS, mib))
    keys = {"checkpoint_save": ("save_s", "save_s"), "checkpoint_load_checked": ("checked_load_s", "load_s"),
            "checkpoint_load_mapped": ("mapped_load_s", "mmap_load_s")}[name]

    def side(command, key):
        def measure():
            result, _ = bench.json_child(command)
            return Measure(result[key])

        return measure

    bench.paired(name, "s", "lower", side(ours, keys[0]), side(peer, keys[1]), {"ours": ours, "peer": peer}, same)
    for file in (ours_file, peer_file):
        file.unlink(missing_ok=True)


FIGURES = {"checkpoint_save": run, "checkpoint_load_checked": run, "checkpoint_load_mapped": run}
