"""How long a command takes to answer, and to do its first training step."""
from .harness import Measure


def answer(*arguments):
    def run(bench, name):
        ours, peer = bench.host(*arguments), [bench.python, "-c", "import torch"]
        repeat = 3 if bench.small else 20

        def fastest_middle():
            times = sorted(bench.child(ours)[1].value for _ in range(repeat))
            return Measure(1000 * times[repeat // 2])

        def torch():
            measure = bench.child(peer)[1]
            return Measure(1000 * measure.value)

        bench.paired(name, "ms", "lower", fastest_middle, torch, {"ours": ours, "peer": peer})

    return run


def first_step(bench, name):
    """The demo's SimCLR on the same images, from the shell's command to the log line of the first step."""
    config = bench.root / "configs/demo/simclr_fashion_mnist.toml"
    batch = 32 if bench.small else 256
    folder = bench.work / "first_step"
    ours = bench.host("--config", config, f"checkpoint.dir={folder}", "checkpoint.overwrite_existing=true", "log_frequency=1",
                      f"machine.threads={bench.cores}", f"data.num_workers={bench.cores}", "machine.precision=fp32",
                      f"data.train.batchsize_per_replica={batch}")
    peer = bench.peer("first_step", batch, bench.cores)

    def run_ours():
        for file in folder.glob("*") if folder.exists() else ():
            if file.is_file() or file.is_symlink():
                file.unlink()
        return bench.child(ours, until="step 1/", memory=True)[1]

    bench.paired(name, "s", "lower", run_ours, lambda: bench.child(peer, until="step 1/", memory=True)[1],
                 {"ours": ours, "peer": peer})


FIGURES = {"help": answer("--help"), "list": answer("list"), "first_step": first_step}
