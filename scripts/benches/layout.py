"""A training step with machine.channels_last beside the same step without, per trunk; both are ours, with an equal first loss."""
from .harness import BenchError, Measure
from .step import NETS, config, lines_of, step_ms

TRUNKS = {
    "resnet18": NETS["resnet18"],
    "resnet50": NETS["resnet50"],
    "regnet": {**NETS["resnet18"], "model": """
trunk = { name = "regnet", variant = "regnet_y_400mf" }
heads = [{ name = "mlp", dims = [440, 1000] }]
"""},
    "vit": {**NETS["resnet18"], "batch": 8, "model": """
trunk = { name = "vision_transformer", hidden_dim = 384, num_heads = 6, mlp_dim = 1536, qkv_bias = true }
heads = [{ name = "mlp", dims = [384, 1000] }]
"""},
}
COMPARED, TOLERANCE = 1, 1e-3  # relative; later losses grow apart by rounding, as batch norm of few images does


def figure(bench, name):
    trunk = name.removeprefix("channels_last_")
    net = dict(TRUNKS[trunk])
    if bench.small:
        net.update(batch=4 if trunk == "vit" else 8, steps=4, size=224 if trunk == "vit" else 96)
    file, runs = bench.work / f"{name}.toml", iter(range(10**6))
    file.write_text(config(net, net["batch"], net["batch"] * net["steps"], 1))
    command = bench.host("--quiet", "--config", file, f"machine.threads={bench.cores}", "machine.precision=fp32")
    losses = {}

    def run(channels_last):
        def measure():
            folder = bench.work / f"{name}_{next(runs)}"
            _, child = bench.child([*command, f"machine.channels_last={channels_last}", f"checkpoint.dir={folder}"], memory=True)
            losses[channels_last] = [line["loss"] for line in lines_of(folder)[:COMPARED]]
            return Measure(step_ms(folder, net["steps"]), child.cpu_s, child.memory_mb)

        return measure

    run("true")(), run("false")()
    difference = max(abs(a - b) / abs(b) for a, b in zip(losses["true"], losses["false"]))
    if difference > TOLERANCE:
        raise BenchError(f"the losses differ: {losses}")
    bench.paired(name, "ms", "lower", run("true"), run("false"),
                 {"ours": [*command, "machine.channels_last=true"], "peer": [*command, "machine.channels_last=false"]},
                 {"losses_compared": COMPARED, "largest_relative_difference": difference})


FIGURES = {f"channels_last_{trunk}": figure for trunk in TRUNKS}
