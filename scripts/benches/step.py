"""A training step of the same network on the same images with the same libtorch, in our host and in eager Python."""
import json

from .harness import BenchError, Measure

NETS = {
    # The images are noise without augmentation, so that the step alone is timed; the demo's come as two equal views.
    "demo": {"batch": 256, "size": 28, "views": 2, "steps": 24, "model": """
trunk = { name = "resnet", depth = 18, width_multiplier = 0.25, stem_kernel = 3, stem_stride = 2, stem_pool = false }
heads = [
  { name = "mlp", dims = [128, 128], use_relu = true, use_bn = true, skip_last_layer_relu_bn = false },
  { name = "mlp", dims = [128, 64] },
]
""", "loss": 'name = "simclr_info_nce_loss"\ntemperature = 0.5'},
    "resnet18": {"batch": 16, "size": 224, "views": 1, "steps": 8, "model": """
trunk = { name = "resnet", depth = 18 }
heads = [{ name = "mlp", dims = [512, 1000] }]
""", "loss": 'name = "cross_entropy_multiple_output_single_target"'},
    "resnet50": {"batch": 8, "size": 224, "views": 1, "steps": 8, "model": """
trunk = { name = "resnet", depth = 50 }
heads = [{ name = "mlp", dims = [2048, 1000] }]
""", "loss": 'name = "cross_entropy_multiple_output_single_target"'},
}
LR, SKIP = 0.01, 2
# Relative, of the losses from the same weights: three steps in fp32; the first alone in bf16, whose rounding grows with every
# step of so small a batch.
COMPARED, TOLERANCE = {"fp32": 3, "bf16": 1}, {"fp32": 1e-4, "bf16": 2e-3}


def config(net, batch, length, epochs):
    views = '{ name = "ImgReplicatePil", num_times = 2 }, ' if net["views"] == 2 else ""
    collator = '\ncollator = { name = "simclr_collator" }' if net["views"] == 2 else ""
    return f"""
log_frequency = 1
test_model = false
[data]
num_workers = 1
[data.train]
data_sources = [{{ name = "synthetic", length = {length}, size = {net['size']}, random_images = true, num_labels = 10 }}]
batchsize_per_replica = {batch}{collator}
transforms = [{views}{{ name = "ToTensor" }}]
[model]{net['model']}
[loss]
{net['loss']}
[optimizer]
name = "sgd"
num_epochs = {epochs}
momentum = 0.9
weight_decay = 1e-4
[optimizer.param_schedulers.lr]
name = "constant"
value = {LR}
[checkpoint]
frequency = 1000
"""


def step_ms(folder, steps):
    """Mean of a run's steps after the first ones; btime is the mean since the start."""
    times = [line["btime(ms)"] for line in lines_of(folder)]
    return (times[-1] * steps - times[SKIP - 1] * SKIP) / (steps - SKIP)


def lines_of(folder):
    return [json.loads(line) for line in (folder / "stdout.json").read_text().splitlines()]


def figure(net_name, precision):
    def run(bench, name):
        net = dict(NETS[net_name])
        if bench.small:
            net.update(batch=4, size=32 if net["size"] == 224 else 28, steps=4)
        batch, steps = net["batch"], net["steps"]
        arguments = [f"machine.threads={bench.cores}", f"machine.precision={precision}"]
        runs = iter(range(10**6))

        def train(length, epochs, *more, memory=False):
            folder = bench.work / f"{name}_{next(runs)}"
            file = bench.work / f"{name}.toml"
            file.write_text(config(net, batch, length, epochs))
            command = bench.host("--quiet", "--config", file, f"checkpoint.dir={folder}", *arguments, *more)
            return command, folder, bench.child(command, memory=memory)[1]

        # The same weights and the same batch three times: the losses must agree.
        _, folder, _ = train(batch, 1, "optimizer.param_schedulers.lr.value=0")
        weights = folder / "model_final_checkpoint_phase0.torch"
        _, folder, _ = train(batch, 3)
        losses = [line["loss"] for line in lines_of(folder)]
        images = bench.work / f"{name}.npy"
        bench.child(bench.host("show", "batch", "--quiet", "--config", bench.work / f"{name}.toml", "--output", images, *arguments))
        spec = {"net": net_name, "batch": str(images), "weights": str(weights), "lr": LR, "steps": 3, "skip": 3,
                "threads": bench.cores, "bf16": precision == "bf16"}
        spec_file = bench.work / f"{name}.json"

        def eager(**changes):
            spec_file.write_text(json.dumps({**spec, **changes}))
            return bench.json_child(bench.peer("step", spec_file), memory=True)

        peer_losses = eager()[0]["losses"]
        compared = COMPARED[precision]
        difference = max(abs(a - b) / abs(b) for a, b in list(zip(losses, peer_losses))[:compared])
        same = {"losses_compared": compared, "losses": losses, "peer_losses": [round(x, 6) for x in peer_losses], "largest_relative_difference": difference}
        if len(losses) != 3 or difference > TOLERANCE[precision]:
            raise BenchError(f"the losses differ: {same}")

        def run_ours():
            _, folder, measure = train(batch * steps, 1, memory=True)
            return Measure(step_ms(folder, steps), measure.cpu_s, measure.memory_mb)

        def run_peer():
            result, measure = eager(weights=None, steps=steps, skip=SKIP)
            return Measure(1000 * result["step_seconds"], measure.cpu_s, measure.memory_mb)

        command = bench.host("--quiet", "--config", bench.work / f"{name}.toml", *arguments)
        # cpu: seconds of the whole process with its start, and `steps` steps.
        bench.paired(name, "ms", "lower", run_ours, run_peer, {"ours": command, "peer": bench.peer("step", spec_file)}, same)

    return run


FIGURES = {f"step_{net}_{precision}": figure(net, precision) for net in NETS for precision in ("fp32", "bf16")}
