#pragma once
// A training config that does a step in milliseconds and has everything whose state could get lost:
// batch norm, momentum, random augmentation, a step schedule, a meter, TensorBoard.
#include <filesystem>
#include <string>

namespace vissl::test {

inline std::string small_config(const std::filesystem::path& dir) {
  return R"(
log_frequency = 1
test_every_num_epoch = 1
[data]
num_workers = 1
[data.train]
data_sources = [{ name = "synthetic", length = 88, size = 16, random_images = true, num_labels = 4 }]
batchsize_per_replica = 8
drop_last = true
transforms = [
  { name = "RandomResizedCrop", size = 16 },
  { name = "RandomHorizontalFlip" },
  { name = "ColorJitter", brightness = 0.4, contrast = 0.4, saturation = 0.4, hue = 0.1 },
  { name = "ToTensor" },
  { name = "Normalize", mean = [0.5, 0.5, 0.5], std = [0.25, 0.25, 0.25] },
]
[data.test]
data_sources = [{ name = "synthetic", length = 24, size = 16, random_images = true, num_labels = 4 }]
batchsize_per_replica = 8
transforms = [{ name = "ToTensor" }, { name = "Normalize", mean = [0.5, 0.5, 0.5], std = [0.25, 0.25, 0.25] }]
[machine]
threads = 1
precision = "fp32"
[model]
trunk = { name = "resnet", depth = 18, width_multiplier = 0.0625, stem_kernel = 3, stem_stride = 1, stem_pool = false }
heads = [{ name = "mlp", dims = [32, 4] }]
[loss]
name = "cross_entropy_multiple_output_single_target"
[optimizer]
name = "sgd"
num_epochs = 3
momentum = 0.9
weight_decay = 1e-4
[optimizer.param_schedulers.lr]
name = "cosine"
update_interval = "step"
start_value = 0.05
end_value = 0.0
[[meters]]
name = "accuracy_list_meter"
topk_values = [1, 2]
[checkpoint]
iter_frequency = 3
dir = ")" +
         dir.string() + R"("
)";
}

}  // namespace vissl::test
