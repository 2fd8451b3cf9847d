#!/usr/bin/env bash
#SBATCH --job-name=vissl
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x-%A_%a.out
#SBATCH --signal=B:USR1@120
# One run for each line of a sweep file, as a job array that survives preemption and time limits.
#
#   scripts/slurm/array.sh CONFIG.toml SWEEP [key=value …]                      submits one task per line
#   sbatch --array=0-7%4 -c 8 scripts/slurm/array.sh CONFIG.toml SWEEP [key=value …]
#
# SWEEP holds the overrides of one run per line (blank lines and lines that begin with # do not count), for example
#   optimizer.param_schedulers.lr.start_value=0.3 loss.temperature=0.1
# Task N takes the line N, counted from 0. Submit from the checkout or set VISSL_HOST to the executable. Options of
# sbatch on the command line win over those above; see task.sh for what happens when the run ends.
set -euo pipefail

usage() {
  echo "array.sh: $*; usage: scripts/slurm/array.sh CONFIG.toml SWEEP [key=value …]" >&2
  exit 2
}
(($# >= 2)) || usage "needs a config and a sweep file"
config=$1 sweep=$2
shift 2
[[ -r $sweep ]] || usage "cannot read the sweep file $sweep"
mapfile -t lines < <(grep -vE '^[[:space:]]*(#|$)' "$sweep")
((${#lines[@]})) || usage "the sweep file $sweep has no line with overrides"

if [[ -z ${SLURM_JOB_ID:-} ]]; then
  exec sbatch --array="0-$((${#lines[@]} - 1))" "${BASH_SOURCE[0]}" "$config" "$sweep" "$@"
fi
task=${SLURM_ARRAY_TASK_ID:-}
[[ -n $task ]] || usage "this job is no array; submit it with sbatch --array=0-$((${#lines[@]} - 1))"
((task < ${#lines[@]})) || usage "$sweep has ${#lines[@]} lines, so there is none for task $task"

# sbatch runs a copy of this file, so the place of task.sh is that of the submitted one.
here=$(scontrol show job -o "$SLURM_JOB_ID" | sed -nE '1s/.* Command=([^ ]+).*/\1/p')
source "$(dirname "$here")/task.sh"
# xargs splits as a shell does, quotes included, but expands nothing.
mapfile -t overrides < <(xargs -n 1 printf '%s\n' <<<"${lines[task]}")
run_task "$config" "${SLURM_ARRAY_JOB_ID}" "$task" "${overrides[@]}" "$@"
