#!/usr/bin/env bash
# The installed tree works after it was moved: it finds its plugins and libtorch in itself, and an outsider builds a
# plugin with nothing but its SDK.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset VISSL_PLUGIN_PATH LD_LIBRARY_PATH

cmake --install "$VISSL_BUILD" --prefix "$work/first" >/dev/null
mv "$work/first" "$work/moved"
moved=$(realpath "$work/moved")
host=$moved/bin/vissl-host

if ! diff <("$VISSL_HOST" list --plugins "$VISSL_PLUGIN_DIR") <("$host" list); then
  echo "the moved tree lists other components than the build tree"
  exit 1
fi

# show model needs tensors: it opens the runtime, and with it libtorch.
cat >"$work/exp.toml" <<'TOML'
[data.train]
data_sources = [{ name = "synthetic", length = 8, size = 8, num_labels = 2 }]
label_type = "standard"
batchsize_per_replica = 4
collator = { name = "default_collate" }
transforms = [{ name = "ToTensor" }]
[model]
trunk = { name = "resnet", depth = 18 }
heads = [{ name = "mlp", dims = [512, 2] }]
[loss]
name = "CrossEntropyLoss"
[optimizer]
name = "sgd"
num_epochs = 1
[optimizer.param_schedulers.lr]
name = "constant"
value = 0.1
TOML
"$host" show model --config "$work/exp.toml" >"$work/model"
grep -q 'trunk\._feature_blocks\.' "$work/model" || { echo "show model prints:"; cat "$work/model"; exit 1; }
loaded=$(ldd "$moved/lib/vissl/libvissl_runtime.so" | awk '$2 == "=>" {print $1, $3}')
for name in libtorch_cpu.so libc10.so libgomp.so.1 libcudart.so.13 libcupti.so.13; do
  path=$(sed -n "s|^$name ||p" <<<"$loaded")
  [[ $(realpath "$path") == "$moved"/lib/vissl/* ]] || { echo "$name comes from $path, not from $moved"; exit 1; }
done

# Of a build with CUDA also the library for GPUs, which finds CUDA's libraries in the tree.
cuda=$moved/lib/vissl/libvissl_cuda.so
if [[ -e $VISSL_BUILD/libvissl_cuda.so ]]; then
  loaded=$(ldd "$cuda" | awk '$2 == "=>" {print $1, $3}')
  for name in libtorch_cuda.so libc10_cuda.so libnccl.so.2 libcudart.so.13 libcudnn.so.9 libcublas.so.13 libnvshmem_host.so.3; do
    path=$(sed -n "s|^$name ||p" <<<"$loaded")
    [[ $(realpath "$path") == "$moved"/lib/vissl/* ]] || { echo "$name comes from '$path', not from $moved"; exit 1; }
  done
elif [[ -e $cuda ]]; then
  echo "$cuda is installed, but was not built"
  exit 1
fi

example=$VISSL_SOURCE_DIR/sdk/examples/triangular
{ cmake -S "$example" -B "$work/example" -G Ninja -DCMAKE_PREFIX_PATH="$moved" && cmake --build "$work/example"; } \
  >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
"$host" describe lr_schedule/triangular --plugins "$work/example" >"$work/described"
grep -q 'cycles' "$work/described" || { echo "describe prints:"; cat "$work/described"; exit 1; }
"$host" check-plugin --quiet "$work"/example/*.so >"$work/judged" || { cat "$work/judged"; exit 1; }
