"""Images per second from a folder of JPEG files: the data engine beside torchvision's transforms in a DataLoader."""
from .harness import BenchError, Measure

VIEWS = """
[data.train]
data_sources = [{ name = "disk_folder", path = "FOLDER" }]
label_type = "sample_index"
batchsize_per_replica = BATCH
drop_last = true
collator = { name = "simclr_collator" }
transforms = [
  { name = "ImgReplicatePil", num_times = 2 },
  { name = "RandomResizedCrop", size = 224 },
  { name = "RandomHorizontalFlip", p = 0.5 },
  { name = "ImgPilColorDistortion", strength = 1.0 },
  { name = "ImgPilGaussianBlur", p = 0.5, radius_min = 0.1, radius_max = 2.0 },
  { name = "ToTensor" },
  { name = "Normalize", mean = [0.485, 0.456, 0.406], std = [0.229, 0.224, 0.225] },
]
[model]
trunk = { name = "resnet" }
[loss]
name = "simclr_info_nce_loss"
[optimizer]
name = "sgd"
"""


def jpeg_folder(bench, count):
    """Made once: soft shapes with grain, 500 x 375 pixels, quality 97, about the bytes of an ImageNet photograph."""
    folder = bench.cache / f"jpeg_{count}"
    bench.child(bench.peer("jpeg_folder", folder, count))
    return folder


def simclr(bench, name):
    count, batch = (16, 4) if bench.small else (480, 32)
    config = bench.work / "loader.toml"
    folder = jpeg_folder(bench, count)
    config.write_text(VIEWS.replace("FOLDER", str(folder)).replace("BATCH", str(batch)))

    # The same random numbers give the same views: the peer draws from our streams here, and from its own below.
    views = bench.work / "views.npy"
    bench.child(bench.host("show", "batch", "--quiet", "--config", config, "--output", views))
    same, _ = bench.json_child(bench.peer("loader", "compare", folder, batch, views, 2 if bench.small else 4))
    if same["largest_difference"] != 0:
        raise BenchError(f"the pixels differ: {same}")

    ours = bench.host("bench", "data", "--json", "--seconds", 600, "--config", config, f"data.num_workers={bench.cores}")
    peer = bench.peer("loader", "time", folder, batch, bench.cores)

    def run_ours():
        result, measure = bench.json_child(ours, memory=True)
        images = result["images"] + result["first_batch_images"]
        seconds = result["seconds"] + result["first_batch_seconds"]
        stages = result["stage_seconds"]
        shares = {stage: round(value / sum(stages.values()), 3) for stage, value in stages.items()}
        return Measure(images / seconds, measure.cpu_s / images * 1000, measure.memory_mb, {"stage_shares": shares})

    def run_peer():
        result, measure = bench.json_child(peer, memory=True)
        return Measure(result["images"] / result["seconds"], result["cpu_s"] / result["images"] * 1000, measure.memory_mb)

    # cpu: seconds per thousand images.
    bench.paired(name, "images/s", "higher", run_ours, run_peer, {"ours": ours, "peer": peer}, same)


FIGURES = {"loader_simclr": simclr}
