#!/usr/bin/env bash
# The first batch of the reference pipelines is the same for 0, 1 and 4 workers, byte for byte, and another one for
# another seed. Batches have as many samples as the sheet has rows.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

# pipeline NAME COLLATOR TRANSFORMS
pipeline() {
  cat > "$work/$1.toml" <<TOML
[data.train]
data_sources = [{ name = "synthetic", random_images = true, size = 64, length = 64 }]
label_type = "sample_index"
batchsize_per_replica = 8
collator = { name = "$2" }
transforms = [
  $3
  { name = "RandomHorizontalFlip" },
  { name = "ImgPilColorDistortion", strength = 1.0 },
  { name = "ImgPilGaussianBlur", p = 0.5 },
  { name = "ImgPilRandomSolarize", p = 0.2 },
  { name = "ToTensor" },
  { name = "Normalize", mean = [0.485, 0.456, 0.406], std = [0.229, 0.224, 0.225] },
]
TOML
  cat "$work/model.toml" >> "$work/$1.toml"
  for run in "0 1" "1 1" "4 1" "4 2"; do
    read -r workers seed <<< "$run"
    "$VISSL_HOST" show batch --quiet --plugins "$VISSL_PLUGIN_DIR" --config "$work/$1.toml" \
      --output "$work/$1.$workers.$seed.png" data.num_workers="$workers" seed_value="$seed" \
      > "$work/$1.$workers.$seed.txt"
  done
  for other in 1.1 4.1; do
    cmp "$work/$1.0.1.png" "$work/$1.$other.png" && cmp "$work/$1.0.1.txt" "$work/$1.$other.txt" || {
      echo "$1: the batch depends on the number of workers ($other)"
      status=1
    }
  done
  if cmp -s "$work/$1.4.1.png" "$work/$1.4.2.png"; then
    echo "$1: two seeds give the same batch"
    status=1
  fi
}

cat > "$work/model.toml" <<'TOML'
[model]
trunk = { name = "resnet", depth = 18 }
heads = [{ name = "mlp", dims = [512, 64] }]
[loss]
name = "cross_entropy_multiple_output_single_target"
[optimizer]
name = "sgd"
num_epochs = 1
[optimizer.param_schedulers.lr]
name = "constant"
update_interval = "step"
value = 0.1
TOML

pipeline simclr simclr_collator '{ name = "ImgReplicatePil", num_times = 2 }, { name = "RandomResizedCrop", size = 40 },'
pipeline swav multicrop_collator '{ name = "ImgPilToMultiCrop", total_num_crops = 5, num_crops = [2, 3], size_crops = [40, 16], crop_scales = [[0.14, 1.0], [0.05, 0.14]] },'
pipeline rotnet default_collate '{ name = "ImgRotatePil" }, { name = "RandomCrop", size = 48, padding = 4 },'
exit $status
