#!/usr/bin/env bash
# The installed tree works after it was moved: it finds its plugins and libtorch in itself, and an outsider builds a
# plugin with nothing but its SDK.
set -euo pipefail
# shellcheck source=tests/integration/installed_tree.bash
source "$VISSL_SOURCE_DIR/tests/integration/installed_tree.bash"

if ! diff <("$VISSL_HOST" list --plugins "$VISSL_PLUGIN_DIR") <("$host" list); then
  echo "the moved tree lists other components than the build tree"
  exit 1
fi

# show model needs tensors: it opens the runtime, and with it libtorch.
write_config "$work/exp.toml" "$small_resnet" 'name = "CrossEntropyLoss"' '' ''
"$host" show model --config "$work/exp.toml" >"$work/model"
grep -q 'trunk\._feature_blocks\.' "$work/model" || { echo "show model prints:"; cat "$work/model"; exit 1; }
loaded=$(ldd "$moved/lib/vissl/libvissl_runtime.so" | awk '$2 == "=>" {print $1, $3}')
for name in libtorch_cpu.so libc10.so libgomp.so.1 libcudart.so.13 libcupti.so.13; do
  path=$(sed -n "s|^$name ||p" <<<"$loaded")
  [[ $(realpath "$path") == "$moved"/lib/vissl/* ]] || { echo "$name comes from $path, not from $moved"; exit 1; }
done
if grep -rlI "$VISSL_SOURCE_DIR" "$moved/lib/cmake" "$moved/include"; then
  echo "these files of the SDK name the source tree"
  exit 1
fi

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

# Nothing in it looks for a library at a place of this machine.
while read -r binary; do
  paths=$(readelf -d "$binary" | sed -nE 's/.*R(UN)?PATH.*\[(.*)\]/\2/p')
  for path in ${paths//:/ }; do
    [[ $path == '$ORIGIN'* ]] || { echo "$binary looks for libraries in $path"; exit 1; }
  done
done < <(find "$moved/bin" "$moved/lib/vissl" -type f \( -name '*.so*' -o -name vissl-host \))

# bash finds the completion of a program in share/bash-completion beside it, when the program is on the PATH.
[[ -e $moved/share/bash-completion/completions/vissl-host && -e $moved/share/zsh/site-functions/_vissl-host &&
  -e $moved/share/fish/vendor_completions.d/vissl-host.fish ]] || { echo "completions are not installed"; exit 1; }
[[ $("$host" __complete describe lr_schedule/cos | cut -f1) == lr_schedule/cosine* ]] ||
  { echo "the moved tree completes: $("$host" __complete describe lr_schedule/cos)"; exit 1; }

build_outside "$VISSL_SOURCE_DIR/sdk/examples/triangular" "$work/example" -DBUILD_TESTING=OFF
"$host" describe lr_schedule/triangular --plugins "$work/example" >"$work/described"
grep -q 'cycles' "$work/described" || { echo "describe prints:"; cat "$work/described"; exit 1; }
"$host" check-plugin --quiet "$work"/example/*.so >"$work/judged" || { cat "$work/judged"; exit 1; }
