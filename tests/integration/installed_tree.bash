# Sourced by tests that work with an installed tree: makes $work, installs into it, moves the tree to $moved, and takes the
# build tree's variables out of the environment.
# shellcheck shell=bash
work=$(realpath "$(mktemp -d)")
trap 'rm -rf "$work"' EXIT
unset VISSL_PLUGIN_PATH LD_LIBRARY_PATH

cmake --install "$VISSL_BUILD" --prefix "$work/first" >/dev/null
mv "$work/first" "$work/moved"
moved=$work/moved
host=$moved/bin/vissl-host

quietly() { # COMMAND...: shows its output only if it fails
  "$@" >"$work/log" 2>&1 || { echo "$* failed:"; tail -n 60 "$work/log"; return 1; }
}

# Configures and builds an outsider's project against the installed SDK; objects of earlier runs come from ccache, which sees
# paths below $work as relative.
build_outside() { # SOURCE BUILD CMAKE_ARGUMENTS...
  local source=$1 build=$2
  shift 2
  local launcher=()
  if command -v ccache >/dev/null; then launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi
  CCACHE_BASEDIR=$work CCACHE_NOHASHDIR=1 quietly cmake -S "$source" -B "$build" -G Ninja \
    -DCMAKE_PREFIX_PATH="$moved" "${launcher[@]}" "$@" &&
    CCACHE_BASEDIR=$work CCACHE_NOHASHDIR=1 quietly cmake --build "$build"
}

# A training of two steps on synthetic images. TRUNK is an inline table, LOSS and MODEL are lines of their tables, TRANSFORMS
# come before ToTensor, each with a comma behind it.
write_config() { # FILE TRUNK LOSS TRANSFORMS MODEL
  cat >"$1" <<TOML
[data]
num_workers = 1
[data.train]
data_sources = [{ name = "synthetic", length = 16, size = 16, random_images = true, num_labels = 4 }]
batchsize_per_replica = 8
transforms = [$4{ name = "ToTensor" }]
[machine]
threads = 1
precision = "fp32"
[model]
trunk = $2
heads = [{ name = "mlp", dims = [32, 4] }]
$5
[loss]
$3
[optimizer]
name = "sgd"
num_epochs = 1
[optimizer.param_schedulers.lr]
name = "constant"
value = 0.1
TOML
}
small_resnet='{ name = "resnet", depth = 18, width_multiplier = 0.0625, stem_kernel = 3, stem_stride = 1, stem_pool = false }'
