#!/usr/bin/env bash
# scripts/slurm/array.sh on a real SLURM: of an array of four, one task is requeued by SLURM and one gets the signal that
# comes before a time limit, both in the middle of an epoch. All four must end bit-equal to runs that nothing disturbed.
set -euo pipefail
source "$VISSL_SOURCE_DIR/tests/slurm/cluster.sh"
cluster_test 2
mkdir wait/{0..3}
cat >sweep.txt <<'SWEEP'
# the overrides of four runs
seed_value=1 hooks[wait_at].folder=wait/0
seed_value=2 hooks[wait_at].folder=wait/1

seed_value=3 hooks[wait_at].folder=wait/2 optimizer.momentum=0.8
seed_value=4 hooks[wait_at].folder=wait/3 "loss.name=cross_entropy_multiple_output_single_target"
SWEEP
export VISSL_HOST VISSL_PLUGIN_PATH=$VISSL_PLUGIN_DIR:$VISSL_TEST_PLUGIN_DIR/run

# Tasks 1 and 2 stop inside the first epoch (11 steps), where no checkpoint is due.
echo 7 >wait/1/iteration
echo 8 >wait/2/iteration
job=$("$VISSL_SOURCE_DIR/scripts/slurm/array.sh" small.toml sweep.txt | grep -oE '[0-9]+$')
echo "job $job: preempting two of four tasks"
output() { echo "vissl-${job}_$1.out"; }
says() { grep -qs "$1" "$(output "$2")"; }
state() { scontrol show job -o "${job}_$1" | sed -nE 's/.* JobState=([A-Z_]+).*/\1/p'; }
is() { [[ $(state "$1") == "$2" ]]; }
cluster_wait 60 test -e wait/1/waiting || fail "task 1 did not come to its 7th step"
cluster_wait 60 test -e wait/2/waiting || fail "task 2 did not come to its 8th step"

scontrol requeue "${job}_1"
scancel --batch --signal=USR1 "${job}_2"
cluster_wait 30 says 'SIGTERM, the run saves' 1 || fail "task 1 got no SIGTERM"
cluster_wait 30 says 'SIGUSR1, the run saves' 2 || fail "task 2 got no SIGUSR1"
rm wait/?/iteration
touch wait/1/go wait/2/go
for task in 1 2; do
  cluster_wait 60 is "$task" PENDING || fail "task $task was not requeued but is $(state "$task")"
  cluster_restart "${job}_$task"
done

for task in 0 1 2 3; do
  line=$(sed -n "$((task + 1))p" <(grep -E '^[^#]' sweep.txt))
  mapfile -t overrides < <(xargs -n 1 printf '%s\n' <<<"$line")
  "$VISSL_HOST" --quiet --config small.toml machine.threads=1 checkpoint.dir="plain/$task" "${overrides[@]}"
  cluster_wait 60 is "$task" COMPLETED || fail "task $task is $(state "$task")"
  "$VISSL_BUILD/compare_runs" "plain/$task" "runs/small-$job/$task" || fail "task $task differs from an undisturbed run"
done
if "$VISSL_BUILD/compare_runs" plain/0 plain/1 >/dev/null; then fail "the comparison sees no difference between seeds"; fi
grep -q 'resuming at iteration 7 ' "$(output 1)" || fail "task 1 did not resume at its 7th step"
grep -q 'resuming at iteration 8 ' "$(output 2)" || fail "task 2 did not resume at its 8th step"

cut -d ' ' -f 2- "runs/small-$job/tasks.log" | sort | sed 's/SLURM ends or requeues.*/SLURM requeues/' >met
sort >wanted <<LOG
task ${job}_0, restart 0: done
task ${job}_1, restart 0: saved its state; SLURM requeues
task ${job}_1, restart 1: done
task ${job}_2, restart 0: saved its state and was requeued
task ${job}_2, restart 1: done
task ${job}_3, restart 0: done
LOG
diff wanted met || fail "tasks.log does not say what happened"

# Other exit codes end the job with that code, and nothing is requeued.
wrong=$(sbatch --array=0 "$VISSL_SOURCE_DIR/scripts/slurm/array.sh" small.toml sweep.txt optimizer.momentom=1 | grep -oE '[0-9]+$')
job=$wrong
cluster_wait 60 is 0 FAILED || fail "a wrong key left the job $(state 0)"
scontrol show job -o "${job}_0" | grep -q ' ExitCode=2:0 ' || fail "exit code 2 did not come through"
grep -q 'failed with exit code 2' "runs/small-$job/tasks.log" || fail "tasks.log does not name exit code 2"
echo "six ends of four tasks, bit-equal to undisturbed runs, in $SECONDS s"
