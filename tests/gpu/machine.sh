# For the scripts beside: what they need of the machine.

fail() {
  echo "$*"
  exit 1
}

# Ends the test as skipped when this machine has fewer than N GPUs or the build lacks libvissl_cuda.so.
need_gpus() { # N
  local gpus
  gpus=$(find /dev -maxdepth 1 -name 'nvidia[0-9]*' 2>/dev/null | wc -l)
  if [[ ! -e $VISSL_BUILD/libvissl_cuda.so ]]; then
    echo "skipped: libvissl_cuda.so is not built; scripts/setup --cuda fetches what it needs"
    exit 77
  elif ((gpus < $1)); then
    echo "skipped: this machine has $gpus GPUs, the test needs $1"
    exit 77
  fi
}
