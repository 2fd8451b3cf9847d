#!/usr/bin/env bash
#SBATCH --job-name=vissl
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=2
#SBATCH --cpus-per-task=1
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x-%j.out
#SBATCH --signal=B:USR1@120
# One run over several nodes: srun starts one rank per task, and each finds its place in SLURM's environment.
#
#   sbatch --nodes=4 --ntasks-per-node=8 --gpus-per-task=1 -c 12 scripts/slurm/nodes.sh CONFIG.toml [key=value …]
#   sbatch --nodes=4 --ntasks-per-node=2 -c 24             scripts/slurm/nodes.sh CONFIG.toml [key=value …]
#
# The first is for GPUs, one task each; the second for CPUs, one task per socket. Submit from the checkout or set
# VISSL_HOST to the executable; the run folder must be on a file system that all nodes share. See task.sh for what
# happens when the run ends.
set -euo pipefail

if (($# < 1)) || [[ -z ${SLURM_JOB_ID:-} ]]; then
  echo "nodes.sh: usage: sbatch scripts/slurm/nodes.sh CONFIG.toml [key=value …]" >&2
  exit 2
fi
config=$1
shift
# sbatch runs a copy of this file, so the place of task.sh is that of the submitted one.
here=$(scontrol show job -o "$SLURM_JOB_ID" | sed -nE '1s/.* Command=([^ ]+).*/\1/p')
source "$(dirname "$here")/task.sh"
run_task "$config" "$SLURM_JOB_ID" "" "$@"
