"""A training step on two ranks of one thread each, beside torch's DistributedDataParallel over Gloo; and what the overlap of
the all-reduce with the backward pass gains: the same step with one bucket, which is sent when all gradients are there."""
import json
import socket

from .harness import Measure
from .step import NETS, SKIP, config, step_ms

RANKS, BUCKET_MB, ONE_BUCKET_MB = 2, 25, 100000


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def sides(bench, name):
    net = dict(NETS["resnet18"], batch=4, steps=10)
    if bench.small:
        net.update(batch=2, size=32, steps=4)
    file, runs = bench.work / f"{name}.toml", iter(range(10**6))
    file.write_text(config(net, net["batch"], net["batch"] * RANKS * net["steps"], 1))
    command = bench.host("--quiet", "--nproc", RANKS, "--config", file, "machine.threads=1")

    def ours(bucket_mb):
        folder = bench.work / f"{name}_{next(runs)}"
        _, measure = bench.child([*command, f"distributed.bucket_cap_mb={bucket_mb}", f"checkpoint.dir={folder}"], memory=True)
        return Measure(step_ms(folder, net["steps"]), measure.cpu_s, measure.memory_mb)

    spec_file = bench.work / f"{name}.json"
    peer_command = bench.peer("ddp_step", spec_file)

    def peer():
        spec_file.write_text(json.dumps({"net": "resnet18", "batch": net["batch"], "size": net["size"], "ranks": RANKS, "lr": 0.01,
                                         "steps": net["steps"], "skip": SKIP, "bucket_cap_mb": BUCKET_MB, "port": free_port()}))
        result, measure = bench.json_child(peer_command, memory=True)
        return Measure(1000 * result["step_seconds"], measure.cpu_s, measure.memory_mb)

    return command, ours, peer_command, peer


def against_ddp(bench, name):
    command, ours, peer_command, peer = sides(bench, name)
    bench.paired(name, "ms", "lower", lambda: ours(BUCKET_MB), peer, {"ours": command, "peer": peer_command})


def overlap(bench, name):
    command, ours, _, _ = sides(bench, name)
    bench.paired(name, "ms", "lower", lambda: ours(BUCKET_MB), lambda: ours(ONE_BUCKET_MB),
                 {"ours": [*command, f"distributed.bucket_cap_mb={BUCKET_MB}"],
                  "peer": [*command, f"distributed.bucket_cap_mb={ONE_BUCKET_MB}"]})


FIGURES = {"ranks2_step": against_ddp, "ranks2_overlap": overlap}
