#!/usr/bin/env bash
# scripts/slurm/nodes.sh on a real SLURM: one rank on each of two nodes, stopped in the middle of an epoch by the signal that
# comes before a time limit, requeued and resumed. The end must be bit-equal to two ranks of one launcher.
set -euo pipefail
source "$VISSL_SOURCE_DIR/tests/slurm/cluster.sh"
cluster_test 2
real_host=$VISSL_HOST
cat >host <<HOST
#!/usr/bin/env bash
echo "rank \$SLURM_PROCID on \$SLURMD_NODENAME" >>"$work/places"
exec "$real_host" "\$@"
HOST
chmod +x host
export VISSL_HOST=$work/host VISSL_PLUGIN_PATH=$VISSL_PLUGIN_DIR:$VISSL_TEST_PLUGIN_DIR/run

echo 3 >wait/iteration  # of six steps in an epoch
job=$(sbatch --nodes=2 --ntasks-per-node=1 "$VISSL_SOURCE_DIR/scripts/slurm/nodes.sh" small.toml | grep -oE '[0-9]+$')
says() { grep -qs "$1" "vissl-$job.out"; }
state() { scontrol show job -o "$job" | sed -nE 's/.* JobState=([A-Z_]+).*/\1/p'; }
is() { [[ $(state) == "$1" ]]; }
cluster_wait 120 test -e wait/waiting || fail "the ranks did not come to their third step; the job is $(state)"
scancel --batch --signal=USR1 "$job"
cluster_wait 30 says 'SIGUSR1, the run saves' || fail "the job got no SIGUSR1"
# The shell has passed the signal to srun, which passes it to the ranks in its own time.
touch wait/slowly
rm wait/iteration
touch wait/go
cluster_wait 60 is PENDING || fail "the job was not requeued but is $(state)"
rm wait/slowly
cluster_restart "$job"

"$real_host" --quiet --nproc 2 --config small.toml machine.threads=1 checkpoint.dir=plain
cluster_wait 120 is COMPLETED || fail "the job is $(state)"
"$VISSL_BUILD/compare_runs" plain "runs/small-$job" || fail "two nodes end otherwise than two ranks of one launcher"
"$real_host" --quiet --nproc 2 --config small.toml machine.threads=1 checkpoint.dir=other seed_value=1
if "$VISSL_BUILD/compare_runs" plain other >/dev/null; then fail "the comparison sees no difference between seeds"; fi
says 'resuming at iteration [3-9] of 12 ' || fail "the ranks did not resume inside the run"
diff <(printf 'rank 0 on n1\nrank 0 on n1\nrank 1 on n2\nrank 1 on n2\n') <(sort places) || fail "the ranks ran elsewhere"

cut -d ' ' -f 2- "runs/small-$job/tasks.log" >met
printf 'task %s, restart 0: saved its state and was requeued\ntask %s, restart 1: done\n' "$job" "$job" | diff - met ||
  fail "tasks.log does not say what happened"
echo "two nodes, stopped and resumed, bit-equal to one launcher, in $SECONDS s"
