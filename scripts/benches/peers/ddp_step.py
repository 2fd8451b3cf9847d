"""usage: ddp_step.py SPEC.json: steps of DistributedDataParallel over Gloo in SPEC's ranks; prints the mean seconds of a step.

SPEC: net, batch (rows of one rank), size, ranks, lr, steps, skip, bucket_cap_mb, port.
"""
import json
import os
import sys
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from nets import Net, loss_of, sgd, train_step


def work(rank, spec):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(spec["port"]), GLOO_SOCKET_IFNAME="lo")
    dist.init_process_group("gloo", rank=rank, world_size=spec["ranks"])
    torch.set_num_threads(1)
    torch.manual_seed(0)
    net = Net(spec["net"])
    wrapped = torch.nn.parallel.DistributedDataParallel(net, bucket_cap_mb=spec["bucket_cap_mb"])
    images = torch.randn(spec["batch"], 3, spec["size"], spec["size"])
    target = torch.arange(len(images)) % 10
    optimizer, loss_fn = sgd(net, spec["lr"]), loss_of(spec["net"])
    for step in range(spec["steps"]):
        if step == spec["skip"]:
            start = time.perf_counter()
        train_step(wrapped, loss_fn, optimizer, images, target, False)
    if rank == 0:
        print(json.dumps({"step_seconds": (time.perf_counter() - start) / (spec["steps"] - spec["skip"])}), flush=True)
    dist.destroy_process_group()


if __name__ == "__main__":
    spec = json.load(open(sys.argv[1], encoding="utf-8"))
    mp.spawn(work, args=(spec,), nprocs=spec["ranks"])
