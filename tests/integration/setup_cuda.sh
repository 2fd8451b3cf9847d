#!/usr/bin/env bash
# scripts/setup and setup --cuda in a copy of the scripts, with a Python that hands out small wheels in place of the
# real ones: what is asked of pip, what is kept of the wheels, and what a failed download leaves.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "$*"; exit 1; }

checkout=$work/checkout
mkdir -p "$checkout/scripts/oracle" "$work/bin" "$work/wheels"
cp "$VISSL_SOURCE_DIR"/scripts/{setup,wheels.txt,wheels_cuda.txt} "$checkout/scripts/"
: >"$checkout/scripts/packages.txt"  # the packages are another matter

wheel() { # NAME FILES...
  local tree=$work/tree name=$1
  shift
  rm -rf "$tree"
  for file in "$@" "$name.dist-info/LICENSE"; do
    mkdir -p "$tree/$(dirname "$file")"
    echo "$name" >"$tree/$file"
  done
  (cd "$tree" && cmake -E tar cf "$work/wheels/$name.whl" --format=zip .)
}
wheel torch torch/include/ATen/ATen.h torch/lib/libc10.so torch/lib/libtorch_cpu.so torch/lib/libgomp.so.1 \
  torch/lib/libtorch_cuda.so torch/lib/libc10_cuda.so torch/lib/libtorch_python.so torch/__init__.py
wheel cudart nvidia/cu13/lib/libcudart.so.13 nvidia/cu13/include/cuda_runtime.h
wheel cublas nvidia/cu13/lib/libcublas.so.13

# `python3 -m venv --clear DIR` makes a Python whose `-m pip download … -d DIR -r LIST…` copies the small wheels.
cat >"$work/bin/python3" <<END
#!/usr/bin/env bash
mkdir -p "\$4/bin"
cat >"\$4/bin/python" <<'PIP'
#!/usr/bin/env bash
echo "\$*" >"$work/asked"
[[ ! -e $work/offline ]] || { echo "ERROR: no connection"; exit 1; }
while [[ \$1 != -d ]]; do shift; done
mkdir -p "\$2"
cp "$work"/wheels/torch.whl "$work"/wheels/cudart.whl "\$2"
[[ \$* != *wheels_cuda.txt* ]] || cp "$work"/wheels/cublas.whl "\$2"
PIP
chmod +x "\$4/bin/python"
END
chmod +x "$work/bin/python3"
setup() { PATH=$work/bin:$PATH "$checkout/scripts/setup" "$@" 2>&1; }
kept() { (cd "$checkout/.deps" && find torch nvidia -type f | sort | xargs); }
expect() { [[ $2 == "$3" ]] || fail "$1: expected '$3', got '$2'"; }

text=$(setup) || fail "set-up failed: $text"
grep -q -- --require-hashes "$work/asked" || fail "pip was not asked to check hashes: $(cat "$work/asked")"
grep -q wheels_cuda "$work/asked" && fail "CUDA's wheels are fetched without --cuda"
plain="nvidia/cu13/lib/libcudart.so.13 torch/include/ATen/ATen.h torch/lib/libc10.so torch/lib/libgomp.so.1 torch/lib/libtorch_cpu.so"
expect "what set-up keeps" "$(kept)" "$plain"

# Without network the libraries of before stay, and one sentence says what to do.
touch "$work/offline"
status=0
text=$(setup --cuda) || status=$?
expect "the exit code without network" "$status" 1
expect "the message without network" "$(tail -n 1 <<<"$text")" "setup: cannot download the wheels of scripts/wheels.txt \
scripts/wheels_cuda.txt (is the network up? the output is in $checkout/.deps/setup.log)"
grep -q "no connection" "$checkout/.deps/setup.log" || fail "the log lacks pip's output"
expect "what a failed set-up leaves" "$(kept)" "$plain"
compgen -G "$checkout/.deps/unpack.*" >/dev/null && fail "the folder of the download was left behind"
rm "$work/offline"

text=$(setup --cuda) || fail "set-up --cuda failed: $text"
grep -q -- "-r scripts/wheels.txt -r scripts/wheels_cuda.txt" "$work/asked" || fail "asked: $(cat "$work/asked")"
expect "what --cuda keeps" "$(kept)" "nvidia/cu13/include/cuda_runtime.h nvidia/cu13/lib/libcublas.so.13 \
nvidia/cu13/lib/libcudart.so.13 torch/include/ATen/ATen.h torch/lib/libc10.so torch/lib/libc10_cuda.so \
torch/lib/libgomp.so.1 torch/lib/libtorch_cpu.so torch/lib/libtorch_cuda.so"

# CUDA's libraries serve a build for the CPU as well: nothing is fetched again.
expect "set-up after set-up --cuda" "$(setup)" "setup: nothing to do"

# The real lists name each wheel with one version and one hash.
for list in wheels.txt wheels_cuda.txt; do
  bad=$(grep -vE '^(#.*|[a-z0-9-]+==[0-9.]+ --hash=sha256:[0-9a-f]{64})$' "$checkout/scripts/$list" || true)
  expect "unpinned lines of $list" "$bad" ""
done
