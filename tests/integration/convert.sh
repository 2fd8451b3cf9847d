#!/usr/bin/env bash
# vissl-host convert: Python's own readers take what it writes, tensors come back unchanged from every chain of
# conversions, and nothing that exists is replaced by accident.
set -euo pipefail

# shellcheck source=tests/integration/needs_python.bash
source "$VISSL_SOURCE_DIR/tests/integration/needs_python.bash"
if ! "$VISSL_PYTHON" -c 'import numpy, safetensors, torch, torchvision' 2> /dev/null; then
  echo "$VISSL_PYTHON lacks one of numpy, safetensors, torch, torchvision"
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
oracle=$VISSL_SOURCE_DIR/scripts/oracle/check_convert.py
"$VISSL_PYTHON" "$oracle" make "$work"
cd "$work"

convert() {
  "$VISSL_HOST" convert "$@" --plugins "$VISSL_PLUGIN_DIR" > out.txt 2> err.txt || { cat err.txt; exit 1; }
}
convert moco.pth vissl.torch --to vissl --heads --depth 50
convert vissl.torch torchvision.pth --to torchvision --heads
convert torchvision.pth timm.safetensors --to timm --heads
convert moco.pth same.safetensors --to safetensors
convert moco.pth same.pth --to torch
convert moco.pth part.pth --to torch --part state_dict
convert vissl.torch detectron2.pkl --to detectron2 --heads
grep -q 'FORMAT: RGB' err.txt
grep -q 'left out, detectron2 does not count batches: 53' out.txt
convert vissl.torch detectron2.pth --to detectron2 --heads
convert detectron2.pkl classy.torch --to classy --heads
convert classy.torch back.pth --to torchvision --heads
convert caffe2.pkl rgb.pth --to torchvision --bgr
convert rgb.pth small.torch --to vissl
convert small.torch sliced.torch --to sliced
convert sliced.torch joined.torch --to torch
for type in complex64 complex128; do
  convert $type.pth ${type}_out.pth --to torch
  convert $type.pth ${type}_out.pkl --to torchvision
done
convert complex64.pth complex64_out.safetensors --to safetensors
"$VISSL_PYTHON" "$oracle" check "$work"

files() { # every file with its size, time and place on the disk
  find . ! -name '*.txt' ! -name '*.list' ! -path . -printf '%p %s %T@ %i\n' | sort
}
refused() { # TEXT ARGUMENTS...: the text of the error, exit code 2, and no file changed
  local text=$1 code=0
  shift
  files > before.list
  "$VISSL_HOST" convert "$@" --plugins "$VISSL_PLUGIN_DIR" > out.txt 2> err.txt || code=$?
  if [[ $code != 2 ]] || ! grep -qF -- "$text" err.txt; then
    echo "convert $*: exit code $code, expected 2 and '$text'; said:"
    cat err.txt
    exit 1
  fi
  files | diff before.list -
}
ln -s moco.pth link.pth
refused "'moco.pth' and './moco.pth' are the same file; give another name for the new one" moco.pth ./moco.pth --to torch --force
refused "are the same file" link.pth moco.pth --to torch --force
refused "'same.pth' exists; --force replaces it" moco.pth same.pth --to torch
refused "is a folder" moco.pth . --to torch
refused "'tensorflow' is no system whose names can be written; there are vissl, torchvision" moco.pth new.pth --to tensorflow
# What a shell offers after --to are the systems that there are.
known=$(sed -nE 's/.*there are (.*), and torch and safetensors for the container alone.*/\1/p' err.txt | tr -d ' ' | tr ',' '\n' | sort)
offered=$("$VISSL_HOST" __complete convert a b --to "" | cut -f 1 | grep -vxE 'torch|safetensors|sliced' | sort)
[[ -n $known && $known == "$offered" ]] || { echo "--to offers $offered; there are $known"; exit 1; }
refused "'convert' needs --to: vissl, torchvision or another system's names, or torch or safetensors for another container" moco.pth new.pth
refused "needs OUT" moco.pth
refused "has no tensor below 'model'" moco.pth new.pth --to torch --part model
refused "depth 101 is wanted" moco.pth new.pth --to vissl --depth 101
refused "call it 'new.safetensors'" moco.pth new.pth --to safetensors
refused "call it 'new.pth'" moco.pth new.safetensors --to torch
refused "call it 'new.pth'" moco.pth new.npz --to torchvision
refused "has no tensor below 'modul'" moco.pth new.pth --to vissl --part modul
refused "changes the container alone" moco.pth new.pth --to torch --heads
refused "slices are made of VISSL's checkpoints" moco.pth new.pth --to sliced
refused "of the slices exists; --force replaces them" vissl.torch sliced.pth --to sliced
convert moco.pth same.pth --to torch --force
code=0
"$VISSL_HOST" convert complex128.pth new.safetensors --to safetensors > out.txt 2> err.txt || code=$?
[[ $code == 1 && ! -e new.safetensors ]]
grep -qF "it has no element type complex128, which 'conv1.weight' has; write a torch file, or leave it out" err.txt
